// The objective of each evaluation, and the best so far, over evaluations or time.

const HISTORY_HEIGHT = 340;
const MOST_POINTS = 60_000;

function makeHistory(target) {
  const figure = makeFigure({height: HISTORY_HEIGHT, x: "", y: "objective"});
  const glyphs = {rest: source("x", "y")};
  figure.scatter(field("x"), field("y"), {
    source: glyphs.rest, size: 4, marker: "circle", line_color: null, fill_color: color("rest"),
    fill_alpha: 0.5,
  });
  for (const [status, sign] of Object.entries(SIGNS)) {
    glyphs[status] = source("x", "y");
    figure.scatter(field("x"), field("y"), {
      source: glyphs[status], size: table.length > 2000 ? 4 : 7, marker: sign.marker,
      line_color: status === "failed" ? color(sign.color) : null, fill_color: color(sign.color),
      line_width: 1.5, alpha: table.length > 2000 ? 0.55 : 0.8,
    });
  }
  const best = source("x", "y");
  figure.step(field("x"), field("y"), "after", {
    source: best, line_color: color("best"), line_width: 2,
  });
  const picked = source("x", "y");
  figure.scatter(field("x"), field("y"), {
    source: picked, size: 15, marker: "circle", fill_color: null, line_color: color("picked"),
    line_width: 3,
  });
  let xs = table.coordinates("order");
  let seen = sightOfRows();
  let unit = 1;
  const height = (row) => (table.status[row] === "failed" ? failedEdge(seen) : table.objectives[row]);

  const draw = () => {
    const byTime = view.by === "seconds" && table.order.some((row) => Number.isFinite(table.end[row]));
    const axis = byTime ? "seconds" : "order";
    const {x: xAxis} = axesOf(figure);
    const raw = table.coordinates(axis);
    let ends = [Infinity, -Infinity];
    const all = !view.zoom || !isNarrowed();
    for (const row of table.order) {
      if ((all || isChosen[row]) && Number.isFinite(raw[row])) {
        ends = [Math.min(ends[0], raw[row]), Math.max(ends[1], raw[row])];
      }
    }
    if (ends[0] > ends[1]) ends = [0, 1];
    if (all) ends[0] = Math.min(ends[0], byTime ? 0 : 1);
    let name = "seconds";
    [name, unit] = byTime ? timeUnit(ends[1]) : ["", 1];
    xs = byTime ? raw.map((value) => value / unit) : raw;
    xAxis.axis_label = byTime ? `${name} since the first start` : "evaluations that have ended";
    const margin = 0.015 * (ends[1] - ends[0]) / unit || 0.5;
    figure.x_range.start = ends[0] / unit - margin;
    figure.x_range.end = ends[1] / unit + margin;
    seen = sightOfRows();
    figure.y_range.start = seen.low;
    figure.y_range.end = seen.high;
    const {chosen, others} = splitRows((row) => Number.isFinite(xs[row]) && table.status[row] in SIGNS);
    const put = (rows) => ({
      x: Float64Array.from(rows, (row) => xs[row]), y: Float64Array.from(rows, height),
    });
    setData(glyphs.rest, put(thinned(others, MOST_POINTS / 4)));
    for (const status of Object.keys(SIGNS)) {
      setData(glyphs[status], put(thinned(chosen.filter((r) => table.status[r] === status), MOST_POINTS)));
    }
    setData(best, bestLine(xs, figure.x_range.end));
    setData(picked, put(view.picked === null ? [] : [view.picked].filter((row) => xs[row] > -Infinity)));
    note(seen);
  };

  showFigure(figure, target, {
    onBrush: ([x0, x1], [y0, y1], more) => brush([
      {axis: view.by, low: x0 * unit, high: x1 * unit}, ...objectivePart(y0, y1, seen),
    ], more),
    onTap: (x, y) => pick(nearestRow(xs, height, x, y, figure, table.order)),
  });
  return draw;
}

/**
 * Return the part of a brush that is about objectives. A box that holds all that is in sight is
 * about the other axis alone, so that failed evaluations may be chosen too.
 */
function objectivePart(low, high, seen) {
  const edge = failedEdge(seen);
  if (low <= edge && edge <= high) {
    const outer = report.direction === "minimize" ? [low, Infinity] : [-Infinity, high];
    const whole = report.direction === "minimize" ? low <= seen.low + 0.08 * (seen.high - seen.low)
      : high >= seen.high - 0.08 * (seen.high - seen.low);
    return whole ? [] : [{axis: "objective", low: outer[0], high: outer[1]}];
  }
  return [{axis: "objective", low, high}];
}

/** Return the corners of the line of the best so far, up to the end of the axis. */
function bestLine(xs, end) {
  const sign = report.direction === "minimize" ? -1 : 1;
  const line = {x: [], y: []};
  let best = -Infinity;
  for (const row of table.order) {
    const score = sign * table.objectives[row];
    if (table.status[row] === "finished" && score > best) {
      best = score;
      line.x.push(xs[row]);
      line.y.push(table.objectives[row]);
    }
  }
  if (line.x.length) {
    line.x.push(end);
    line.y.push(sign * best);
  }
  return line;
}

function note(seen) {
  let off = 0;
  for (const row of table.order) {
    const value = table.objectives[row];
    if (table.status[row] !== "failed" && (value < seen.low || value > seen.high)) off++;
  }
  const side = report.direction === "minimize" ? "above" : "below";
  const direction = report.direction === "minimize" ? "Lower is better." : "Higher is better.";
  byId("history-note").textContent = off ? `${direction} ${plural(off, "evaluation")} further ${side} ` +
    `${off === 1 ? "is" : "are"} out of sight.` : direction;
}
