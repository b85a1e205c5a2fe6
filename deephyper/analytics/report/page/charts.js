// What all charts share: figures of Bokeh in the colors of the page, brushes, and signs of rows.

const SIGNS = {
  finished: {color: "finished", marker: "circle", name: "finished"},
  pruned: {color: "pruned", marker: "triangle", name: "ended early"},
  failed: {color: "failed", marker: "x", name: "failed"},
};
const charts = [];

/**
 * A chart that is made when it comes into sight, or when there is nothing else to do, so that a page
 * that is printed as a whole has all of them. It is drawn again when what it shows changes.
 */
class Chart {
  /**
   * @param target id of the element that it is in
   * @param height of the figure, for which room is left at once, so that nothing moves later
   * @param make makes the figure; returns what draws it
   */
  constructor(target, height, make) {
    this.target = byId(target);
    this.target.style.minHeight = `${height}px`;
    this.make = make;
    this.draw = null;
    charts.push(this);
    this.observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) this.show();
    }, {rootMargin: "300px"});
    this.observer.observe(this.target);
    showWhenIdle();
  }

  show() {
    if (this.draw === null) {
      this.draw = this.make(this.target);
      this.draw();
    }
  }

  update() {
    if (this.draw !== null) this.draw();
  }

  /** Forget the figure; it is made anew in the colors of now. */
  renew() {
    if (this.draw === null) return;
    removeFigures(this.target);
    this.draw = null;
    this.show();
  }

  stop() {
    this.observer.disconnect();
    removeFigures(this.target);
    charts.splice(charts.indexOf(this), 1);
  }
}

let awaited = false;

/** Make the charts that nobody has seen yet, one after the other, so that the page answers in between. */
function showWhenIdle() {
  if (awaited) return;
  awaited = true;
  const later = window.requestIdleCallback ?? ((action) => setTimeout(action, 50));
  later(() => {
    awaited = false;
    const next = charts.find((chart) => chart.draw === null);
    next?.show();
    if (next) showWhenIdle();
  });
}

const views = new Map();  // of Bokeh, by the element that each is in
const shownViews = new WeakMap();  // those that have come to be

function removeFigures(target) {
  views.get(target)?.then((found) => found?.remove?.());
  views.delete(target);
  delete target.dataset.drawn;
  target.replaceChildren();
}

/** Return a figure of Bokeh in the look of the page. */
function makeFigure({height, x, y}) {
  const {figure} = Bokeh.Plotting;
  const made = figure({
    height, sizing_mode: "stretch_width", toolbar_location: null, tools: [],
    x_range: new Bokeh.Range1d({start: 0, end: 1}), y_range: new Bokeh.Range1d({start: 0, end: 1}),
    background_fill_color: color("ground"), border_fill_color: color("ground"),
    outline_line_color: null, min_border_right: 8,
  });
  for (const [axis, name] of [[made.xaxis, x], [made.yaxis, y]]) {
    axis.axis_label = name ? shorten(shown(name), 60) : null;
    axis.axis_label_text_color = color("quiet");
    axis.axis_label_text_font_style = "normal";
    axis.axis_label_text_font = "system-ui, sans-serif";
    axis.axis_label_text_font_size = "13px";
    axis.major_label_text_color = color("quiet");
    axis.major_label_text_font = "system-ui, sans-serif";
    axis.major_label_text_font_size = "12px";
    axis.axis_line_color = color("line");
    axis.major_tick_line_color = color("line");
    axis.minor_tick_line_color = null;
  }
  for (const grid of gridsOf(made)) grid.grid_line_color = color("grid");
  return made;
}

function axesOf(figure) {
  return {x: figure.xaxis, y: figure.yaxis};
}

function gridsOf(figure) {
  return [figure.xgrid, figure.ygrid];
}

/** Put ticks where they are wanted, of axis 0 or 1: [place, text] of each. */
function setTicks(figure, dimension, ticks) {
  const axis = dimension === 0 ? axesOf(figure).x : axesOf(figure).y;
  const ticker = new Bokeh.FixedTicker({ticks: ticks.map(([place]) => place)});
  axis.ticker = ticker;
  gridsOf(figure)[dimension].ticker = ticker;
  axis.major_label_overrides = new Map(ticks);
}

/**
 * Show a figure in an element, and let it be brushed and tapped.
 *
 * @param onBrush called with the ends of a box in both dimensions, and whether Shift was pressed
 * @param onTap called with a place
 * @param exact whether a box that is very narrow is one, and not the whole width
 */
function showFigure(figure, target, {onBrush, onTap, exact = false} = {}) {
  if (onBrush) {
    const tool = new Bokeh.BoxSelectTool({renderers: []});
    tool.overlay.fill_color = color("accent");
    tool.overlay.fill_alpha = 0.15;
    tool.overlay.line_color = color("accent");
    figure.add_tools(tool);
    figure.toolbar.active_drag = view.drag ? tool : null;
    figure.on_event("selectiongeometry", (event) => {
      const {geometry} = event;
      if (!event.final || geometry.type !== "rect") return;
      const ys = spanOf(geometry.y0, geometry.y1, figure.y_range);
      const narrow = exact && ys ? [geometry.x0, geometry.x1].sort((a, b) => a - b) : null;
      const xs = spanOf(geometry.x0, geometry.x1, figure.x_range) ?? narrow;
      if (xs || ys) onBrush(xs ?? ALL, ys ?? ALL, pressed.shift);
    });
  }
  if (onTap) figure.on_event("tap", ({x, y}) => onTap(x, y));
  const made = Bokeh.Plotting.show(figure, target);
  views.set(target, made);
  made.then((found) => {
    if (views.get(target) !== made) return;  // it was removed meanwhile
    shownViews.set(target, found);
    target.dataset.drawn = "true";
  });
}

const ALL = [-Infinity, Infinity];

/** Return the ends of one side of a box; null if it is so short that the other one is meant. */
function spanOf(a, b, {start, end}) {
  return Math.abs(b - a) < 0.015 * Math.abs(end - start) ? null : [Math.min(a, b), Math.max(a, b)];
}

const pressed = {shift: false};
for (const name of ["keydown", "keyup", "pointerdown", "pointerup"]) {
  addEventListener(name, (event) => { pressed.shift = event.shiftKey; }, true);
}

/** Return a source of data for a glyph. */
function source(...names) {
  return new Bokeh.ColumnDataSource({data: Object.fromEntries(names.map((name) => [name, []]))});
}

function setData(from, data) {
  from.data = data;
}

function field(name) {
  return {field: name};
}

/** Return the row whose point is nearest to a place, within a few hundredths of the figure. */
function nearestRow(xs, ys, x, y, figure, rows) {
  const width = Math.abs(figure.x_range.end - figure.x_range.start) || 1;
  const height = Math.abs(figure.y_range.end - figure.y_range.start) || 1;
  let best = -1;
  let least = 0.04 ** 2;
  for (const row of rows) {
    const distance = ((xs[row] - x) / width) ** 2 + ((ys(row) - y) / height) ** 2;
    if (distance < least) [best, least] = [row, distance];
  }
  return best;
}

/** Return at most so many of the rows, evenly spread over them. */
function thinned(rows, most) {
  if (rows.length <= most) return rows;
  const found = [];
  for (let i = 0; i < most; i++) found.push(rows[Math.floor((i * rows.length) / most)]);
  return found;
}

/** Return the rows that are chosen, and the others, of those that a test lets pass. */
function splitRows(passes) {
  const chosen = [];
  const others = [];
  for (let row = 0; row < table.length; row++) {
    if (passes(row)) (isChosen[row] ? chosen : others).push(row);
  }
  return {chosen, others};
}

/**
 * Return the range of objectives that is in sight: what is further off than three times the range
 * of the better three quarters isn't, because one that diverged would leave nothing to see of the
 * others.
 */
function sight(values) {
  const sign = report.direction === "minimize" ? -1 : 1;
  const scores = Float64Array.from(values.filter(Number.isFinite), (value) => sign * value).sort();
  if (scores.length === 0) return {low: 0, high: 1};
  const top = scores[scores.length - 1];
  const quarter = scores[Math.floor((scores.length - 1) / 4)];
  const low = Math.max(scores[0], top - 3 * (top - quarter));
  const margin = 0.06 * (top - low) || 0.05 * Math.abs(top) || 1;
  const ends = [sign * (low - margin), sign * (top + margin)];
  return {low: Math.min(...ends), high: Math.max(...ends)};
}

/** Return the objectives that decide what is in sight: of those chosen where that is wanted. */
function sightOfRows() {
  const values = [];
  const all = !view.zoom || !isNarrowed();
  for (let row = 0; row < table.length; row++) {
    const status = table.status[row];
    if ((all || isChosen[row]) && (status === "finished" || status === "pruned")) {
      values.push(table.objectives[row]);
    }
  }
  return sight(values);
}

/** The edge of the chart at which failed evaluations are shown: that of bad objectives. */
function failedEdge({low, high}) {
  const inside = 0.02 * (high - low);
  return report.direction === "minimize" ? high - inside : low + inside;
}

const RAMP = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"];

/** Return the color of a share from 0, the worst, to 1: the better, the more it stands out. */
function rampColor(share) {
  const dark = document.documentElement.dataset.theme === "dark";
  const colors = dark ? RAMP.slice(1) : RAMP.slice(0, 7).reverse();
  const place = Math.min(1, Math.max(0, share)) * (colors.length - 1);
  const [a, b] = [colors[Math.floor(place)], colors[Math.ceil(place)]];
  const part = (hex, i) => parseInt(hex.slice(1 + 2 * i, 3 + 2 * i), 16);
  const mixed = [0, 1, 2].map((i) => Math.round(part(a, i) + (place % 1) * (part(b, i) - part(a, i))));
  return `rgb(${mixed.join(",")})`;
}

function svg(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Return the sign of a status, or of a line, for a legend. */
function legendItem(text, {marker, color: name}) {
  const ink = `var(--${name})`;
  const sign = svg("svg", {class: "sign", viewBox: "0 0 16 16", "aria-hidden": "true"});
  if (marker === "circle") sign.append(svg("circle", {cx: 8, cy: 8, r: 4.5, style: `fill:${ink}`}));
  if (marker === "triangle") sign.append(svg("path", {d: "M8 3l5 9H3z", style: `fill:${ink}`}));
  if (marker === "x") {
    sign.append(svg("path", {d: "M4 4l8 8M12 4l-8 8", style: `stroke:${ink};stroke-width:2.5`}));
  }
  if (marker === "line") {
    sign.append(svg("path", {d: "M1 8h14", style: `stroke:${ink};stroke-width:2.5`}));
  }
  if (marker === "bar") {
    sign.append(svg("rect", {x: 2, y: 4, width: 12, height: 8, style: `fill:${ink}`}));
  }
  if (marker === "ring") {
    sign.append(svg("circle", {cx: 8, cy: 8, r: 5, style: `fill:none;stroke:${ink};stroke-width:2.5`}));
  }
  return element("span", {}, sign, document.createTextNode(text));
}

/** Fill the legend of a chart: signs of the statuses that there are, and others. */
function fillLegend(id, items) {
  byId(id).replaceChildren(...items.map(([text, sign]) => legendItem(text, sign)));
}

function statusItems(kind) {
  const there = new Set(table.status);
  return Object.entries(SIGNS)
    .filter(([status]) => there.has(status))
    .map(([, sign]) => [sign.name, kind ? {...sign, marker: kind} : sign]);
}

const PICKED = ["picked", {marker: "ring", color: "picked"}];
