// A page that was opened from the disk can't read others, which is where search takes its excerpts
// from; titles and matches are found all the same.
if (location.protocol === "file:") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}

document.addEventListener("DOMContentLoaded", () => {
  // The captions of the navigation are headings without a level.
  for (const caption of document.querySelectorAll(".caption[role=heading]")) {
    caption.setAttribute("aria-level", "2");
  }
  // Arguments that have lines of their own are no list of definitions, as which they are written.
  for (const part of document.querySelectorAll("dt.sig dl, dt.sig dl dd")) {
    part.setAttribute("role", "none");
  }
  // What is wider than its place is scrolled by the arrow keys, once the keyboard can come to it.
  for (const region of document.querySelectorAll("pre, .table-wrapper, dt.sig")) {
    if (region.scrollWidth > region.clientWidth) {
      region.tabIndex = 0;
    }
  }
});
