// Each evaluation as a line through its values, the better ones on top.

const PARALLEL_HEIGHT = 400;
const MOST_AXES = 12;
const MOST_LINES = 800;
const NUMBERS_WIDTH = 56;

/** Return how many of the chosen evaluations have no line, since they did not finish. */
function withoutLine() {
  const counts = {pruned: 0, failed: 0};
  for (let row = 0; row < table.length; row++) {
    if (isChosen[row] && table.status[row] in counts) counts[table.status[row]]++;
  }
  const told = ["pruned", "failed"].filter((status) => counts[status] > 0)
    .map((status) => `${counts[status].toLocaleString("en")} that ${status === "pruned" ? "ended early" : "failed"}`);
  if (told.length === 0) return "";
  return `Only finished evaluations have a line: ${told.join(" and ")} ` +
    `${counts.pruned + counts.failed === 1 ? "has" : "have"} none.`;
}

/** Return whether titles of axes, so many pixels apart, leave room between them and at the left. */
function fitBeside(titles, between) {
  const context = element("canvas").getContext("2d");
  context.font = "12px system-ui, sans-serif";
  const widths = titles.map((text) => context.measureText(text).width);
  if (widths[0] / 2 > 0.25 * between + 4) return false;
  return widths.every((width, i) => i === 0 || (widths[i - 1] + width) / 2 + 12 <= between);
}

function makeParallel(target) {
  const shownAxes = variedHyperparameters().slice(0, MOST_AXES);
  const figure = makeFigure({height: PARALLEL_HEIGHT, x: "", y: ""});
  const {x: xAxis, y: yAxis} = axesOf(figure);
  yAxis.visible = false;
  for (const grid of gridsOf(figure)) grid.grid_line_color = null;
  xAxis.axis_line_color = null;
  xAxis.major_tick_line_color = null;
  const last = shownAxes.length;
  figure.x_range.start = -0.25;
  // The numbers beside the last axis have their room, however near to one another the axes are.
  figure.x_range.end = last + Math.max(0.6, (NUMBERS_WIDTH * (last + 0.25)) / (target.clientWidth - NUMBERS_WIDTH));
  figure.y_range.start = -0.05;
  figure.y_range.end = 1.05;
  const titles = (longest) => [
    ...shownAxes.map((each) => shorten(shown(each.name), longest) + (each.log ? " (log)" : "")), "objective"];
  const between = target.clientWidth / (figure.x_range.end - figure.x_range.start);
  const narrow = !fitBeside(titles(18), between);
  xAxis.major_label_orientation = narrow ? Math.PI / 2 : 0;
  setTicks(figure, 0, titles(narrow ? 14 : 18).map((text, i) => [i, text]));
  const axes = [...shownAxes.map((each) => `hp:${each.name}`), "objective"];
  const columns = axes.slice(0, -1).map((axis) => table.coordinates(axis));

  const rest = source("xs", "ys");
  figure.multi_line(field("xs"), field("ys"), {source: rest, line_color: color("rest"), line_alpha: 0.35});
  const lines = source("xs", "ys", "color");
  const strokes = figure.multi_line(field("xs"), field("ys"), {
    source: lines, line_color: field("color"), line_width: 1.2,
  });
  const picked = source("xs", "ys");
  figure.multi_line(field("xs"), field("ys"), {
    source: picked, line_color: color("picked"), line_width: 3.5,
  });
  const bars = source("x", "y0", "y1");
  bars.data = {x: axes.map((_, i) => i), y0: axes.map(() => 0), y1: axes.map(() => 1)};
  figure.segment(field("x"), field("y0"), field("x"), field("y1"), {
    source: bars, line_color: color("quiet"), line_width: 1.5,
  });
  const labels = source("x", "y", "text");
  figure.text(field("x"), field("y"), field("text"), {
    source: labels, text_color: color("text"), text_font_size: "11px", x_offset: 5, y_offset: 0,
    text_font: "system-ui, sans-serif", text_baseline: "middle",
    background_fill_color: color("ground"), background_fill_alpha: 0.75,
  });
  let seen = sightOfRows();
  const objectivePlace = (row) =>
    Math.min(1, Math.max(0, (table.objectives[row] - seen.low) / (seen.high - seen.low)));
  const placesOf = (row) => [...columns.map((column) => column[row]), objectivePlace(row)];
  const put = (rows) => ({xs: rows.map(() => axes.map((_, i) => i)), ys: rows.map(placesOf)});
  let drawnRows = [];

  const draw = () => {
    seen = sightOfRows();
    const {chosen, others} = splitRows((row) => table.status[row] === "finished");
    const sign = report.direction === "minimize" ? -1 : 1;
    const worse = (a, b) => sign * (table.objectives[a] - table.objectives[b]);
    chosen.sort(worse);
    let drawn = chosen;
    if (chosen.length > MOST_LINES) {
      const half = MOST_LINES / 2;
      drawn = [...thinned(chosen.slice(0, -half), half), ...chosen.slice(-half)];
    }
    const span = Math.max(1, chosen.length - 1);
    const ranks = new Map(chosen.map((row, i) => [row, i / span]));
    strokes.glyph.line_alpha = drawn.length > 300 ? 0.25 : drawn.length > 60 ? 0.5 : 0.8;
    setData(rest, put(thinned(others, MOST_LINES / 4)));
    setData(lines, {...put(drawn), color: drawn.map((row) => rampColor(ranks.get(row)))});
    const row = view.picked;
    setData(picked, put(row !== null && table.status[row] === "finished" ? [row] : []));
    const ticks = shownAxes.flatMap((each, i) =>
      ticksOf(each, 5).map(([place, text]) => [i, place, text]));
    const ends = [0, 0.25, 0.5, 0.75, 1].map((place) =>
      [last, place, formatWithin(seen.low + place * (seen.high - seen.low), seen)]);
    const all = [...ticks, ...ends];
    setData(labels, {
      x: all.map((each) => each[0]), y: all.map((each) => each[1]), text: all.map((each) => each[2]),
    });
    drawnRows = drawn;
    byId("parallel-note").textContent = [
      drawn.length < chosen.length
        ? `${drawn.length.toLocaleString("en")} of ${chosen.length.toLocaleString("en")} finished ` +
          `evaluations, the best ${MOST_LINES / 2} among them.` : "",
      withoutLine(),
      last < variedHyperparameters().length ? `The ${last} hyperparameters that matter most.` : "",
    ].filter(Boolean).join(" ");
  };

  showFigure(figure, target, {
    exact: true,
    onBrush: ([x0, x1], [y0, y1], more) => {
      const middle = Math.round((x0 + x1) / 2);
      const crossed = axes.filter((_, i) => i >= x0 && i <= x1);
      const beside = Math.abs((x0 + x1) / 2 - middle) < 0.35 ? axes.slice(middle, middle + 1) : [];
      const parts = (crossed.length ? crossed : beside)
        .map((axis) => (axis === "objective"
          ? {axis, low: y0 <= 0 ? -Infinity : seen.low + y0 * (seen.high - seen.low),
            high: y1 >= 1 ? Infinity : seen.low + y1 * (seen.high - seen.low)}
          : {axis, low: y0, high: y1}));
      if (parts.length) brush(parts, more);
    },
    onTap: (x, y) => {
      let best = null;
      let least = 0.03;
      for (const row of drawnRows) {
        const places = placesOf(row);
        const i = Math.min(last - 1, Math.max(0, Math.floor(x)));
        const at = places[i] + (x - i) * ((places[i + 1] ?? places[i]) - places[i]);
        if (Math.abs(at - y) <= least) [best, least] = [row, Math.abs(at - y)];
      }
      pick(best);
    },
  });
  const better = element("span", {class: "ramp"});
  better.style.background = `linear-gradient(90deg, ${[0, 0.25, 0.5, 0.75, 1].map(rampColor).join(",")})`;
  byId("parallel-legend").replaceChildren(
    element("span", {text: "worse"}), better, element("span", {text: "better"}),
    legendItem("picked", {marker: "line", color: "picked"}));
  return draw;
}
