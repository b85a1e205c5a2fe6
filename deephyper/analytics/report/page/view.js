// The state of the page: which evaluations are chosen, how they are shown. It outlives a reload.

const KEY = `deephyper-report:${location.pathname}:${report.source}`;

const view = {
  filter: "",
  brush: [],  // {axis, low, high}: the parts of axes within which evaluations are chosen
  picked: null,  // a row
  sort: {title: "objective", ascending: report.direction === "minimize"},  // the best first
  by: "order",
  theme: "auto",
  zoom: false,
  drag: !matchMedia("(pointer: coarse)").matches,
  allSlices: false,
};

let isChosen = new Uint8Array(0);
let numChosen = 0;
const listeners = [];

/** Have a function called when what is shown has changed. */
function onChange(listener) {
  listeners.push(listener);
}

/** Change the view, and show it. */
function change(changes) {
  Object.assign(view, changes);
  if ("filter" in changes || "brush" in changes) choose();
  save();
  for (const listener of listeners) listener(changes);
}

/** Whether not all evaluations are chosen. */
function isNarrowed() {
  return view.filter.trim() !== "" || view.brush.length > 0;
}

/** Find out which rows are chosen: those that pass the filter and lie in the brush. */
function choose() {
  const error = byId("filter-error");
  let passes = () => true;
  try {
    passes = parseFilter(view.filter);
    error.textContent = "";
    byId("filter").removeAttribute("aria-invalid");
  } catch (reason) {
    error.textContent = reason.message;
    byId("filter").setAttribute("aria-invalid", "true");
  }
  const parts = view.brush.map(({axis, low, high}) => [table.coordinates(axis), low, high]);
  isChosen = new Uint8Array(table.length);
  numChosen = 0;
  for (let row = 0; row < table.length; row++) {
    const inside = parts.every(([values, low, high]) => values[row] >= low && values[row] <= high);
    if (inside && passes(row)) {
      isChosen[row] = 1;
      numChosen++;
    }
  }
}

/** Choose what lies in a part of a chart, beside what is chosen there already if `more`. */
function brush(parts, more) {
  const axes = new Set(parts.map((part) => part.axis));
  const kept = more ? view.brush.filter((part) => !axes.has(part.axis)) : [];
  const bounded = ({low, high}) => Number.isFinite(low) || Number.isFinite(high);
  change({brush: [...kept, ...parts.filter(bounded)]});
}

/** Pick a row, or no longer. */
function pick(row) {
  change({picked: row === null || row === view.picked || row < 0 ? null : row});
}

/** Keep the view for after a reload; where it can't be kept, nothing is lost but that. */
function save() {
  const id = view.picked === null ? null : table.name(view.picked);
  const state = {...view, picked: id, drag: view.drag, places: scrollPlaces()};
  try { sessionStorage.setItem(KEY, JSON.stringify(state)); } catch { /* no storage */ }
}

function scrollPlaces() {
  const scroll = byId("table-scroll");
  return {page: window.scrollY, tableTop: scroll.scrollTop, tableLeft: scroll.scrollLeft};
}

/** Take up the view of before a reload; return where things were scrolled to. */
function restore() {
  let state = null;
  try { state = JSON.parse(sessionStorage.getItem(KEY)); } catch { /* none that can be read */ }
  if (state === null || typeof state !== "object") return null;
  const {picked, places, ...others} = state;
  for (const [name, value] of Object.entries(others)) {
    if (name in view && typeof value === typeof view[name]) view[name] = value;
  }
  // JSON has no infinite numbers.
  view.brush = view.brush.map(({axis, low, high}) => ({axis, low: low ?? -Infinity, high: high ?? Infinity}));
  view.picked = picked === null ? null : pickedRow(picked);
  return places;
}

function pickedRow(name) {
  const row = table.rowOf(name);
  return row < 0 ? null : row;
}

function applyTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = view.theme === "auto" ? (dark ? "dark" : "light") : view.theme;
  document.documentElement.dataset.theme = theme;
}

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
