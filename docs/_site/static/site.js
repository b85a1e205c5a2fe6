// A page that was opened from the disk can't read others, which is where search takes its excerpts
// from; titles and matches are found all the same.
if (location.protocol === "file:") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}
