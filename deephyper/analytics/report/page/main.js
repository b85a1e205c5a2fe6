// Puts the page together, and keeps it fresh while the search is followed.

const STALE = 90;  // seconds without a new report after which nobody follows any more
const VERY_OLD = 3600;  // seconds of age after which they don't, though clocks may differ

async function start() {
  Bokeh.set_log_level("warn");
  await readArrays();
  table = new Table();
  const places = restore();
  applyTheme();
  choose();
  showHead();
  showFindings();
  showImportance();
  showFailures();
  showRunning();
  showRun();
  showCharts();
  const evaluations = new EvaluationsTable();
  connect(evaluations);
  listenToPrint(evaluations);
  showNavigation();
  showChosen();
  showPicked();
  evaluations.update();
  if (places) {
    history.scrollRestoration = "manual";
    byId("table-scroll").scrollTo(places.tableLeft, places.tableTop);
    scrollTo(0, places.page);
  }
  follow();
  document.documentElement.dataset.ready = "true";
}

function showCharts() {
  const drawn = table.status.some((status) => status in SIGNS) && variedHyperparameters().length > 0;
  const compared = table.status.some((status) => status === "finished" || status === "pruned");
  byId("history").hidden = !compared;
  byId("table").hidden = table.length === 0;
  byId("chooser").hidden = table.length === 0;
  byId("slices").hidden = !drawn;
  const finished = table.status.some((status) => status === "finished");
  byId("parallel").hidden = !finished || variedHyperparameters().length === 0;
  byId("curves").hidden = report.curves.length === 0;
  if (compared) {
    new Chart("history-plot", HISTORY_HEIGHT, makeHistory);
    fillLegend("history-legend", [
      ...statusItems(), ["best so far", {marker: "line", color: "best"}], PICKED]);
  }
  if (drawn) {
    fillLegend("slices-legend", [...statusItems(), PICKED]);
    byId("slices-note").textContent = report.importance?.hyperparameters.some((e) => e.share)
      ? "The objective against each, those with the largest share of the variance first." : "The objective against each.";
    showSlices();
  }
  if (!byId("parallel").hidden) new Chart("parallel-plot", PARALLEL_HEIGHT, makeParallel);
  if (report.curves.length) new Chart("curves-plot", CURVES_HEIGHT, makeCurves);
  showWorkers();
  const timed = table.order.some((row) => Number.isFinite(table.end[row]));
  document.querySelector(".choice").hidden = !timed;
}

/** Connect what people can do with what it changes. */
function connect(evaluations) {
  const filter = byId("filter");
  filter.value = view.filter;
  filter.addEventListener("input", delayed(() => change({filter: filter.value}), 200));
  byId("clear").addEventListener("click", () => {
    filter.value = "";
    change({filter: "", brush: []});
  });
  for (const name of ["zoom", "drag"]) {
    byId(name).checked = view[name];
    byId(name).addEventListener("change", (event) => change({[name]: event.target.checked}));
  }
  for (const radio of document.querySelectorAll("input[name=by]")) {
    radio.checked = radio.value === view.by;
    radio.addEventListener("change", () => change({by: radio.value}));
  }
  const theme = byId("theme");
  theme.value = view.theme;
  theme.addEventListener("change", () => change({theme: theme.value}));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => change({theme: view.theme}));
  byId("slices-more").addEventListener("click", () => {
    change({allSlices: !view.allSlices});
    showSlices();
  });
  byId("download").addEventListener("click", () => downloadRows(evaluations.rows));
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && view.picked !== null) change({picked: null});
  });
  addEventListener("pagehide", save);
  onChange((changes) => {
    if ("theme" in changes || "drag" in changes) {
      applyTheme();
      for (const chart of [...charts]) chart.renew();
    }
    if ("filter" in changes || "brush" in changes || "sort" in changes) evaluations.update();
    if ("picked" in changes) {
      evaluations.showPicked();
      evaluations.draw(true);
      showPicked();
    }
    showChosen();
    if (!("sort" in changes || "theme" in changes || "allSlices" in changes)) drawCharts();
  });
}

/** Draw all charts again, one after the other, so that the page answers in between. */
let drawing = 0;
function drawCharts() {
  const turn = ++drawing;
  const left = [...charts];
  const next = () => {
    if (turn !== drawing) return;
    left.shift()?.update();
    if (left.length) setTimeout(next);
  };
  next();
}

function showChosen() {
  byId("chosen").textContent = isNarrowed()
    ? `${numChosen.toLocaleString("en")} of ${plural(table.length, "evaluation")} chosen`
    : `all ${plural(table.length, "evaluation")}`;
  byId("clear").disabled = !isNarrowed();
}

function delayed(action, milliseconds) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, milliseconds);
  };
}

/** Whether this report is not renewed any more, as far as its own reloads tell. */
function isStale() {
  const now = Date.now() / 1000;
  const patience = STALE + 3 * report.follow;
  if (now - report.made > VERY_OLD + patience) return true;
  let seen = null;
  try { seen = JSON.parse(sessionStorage.getItem(`${KEY}:seen`)); } catch { /* none */ }
  if (seen?.made === report.made) return now - seen.at > patience;
  try {
    sessionStorage.setItem(`${KEY}:seen`, JSON.stringify({made: report.made, at: now}));
  } catch { /* no storage */ }
  return false;
}

/** Load the page again after a while, where it is; not while somebody types or looks elsewhere. */
function follow() {
  if (!report.follow) return;
  if (isStale()) {
    byId("notices").append(element("p", {
      text: `This page is no longer kept fresh: it shows the search as of ${formatTime(report.made)}.`,
    }));
    return;
  }
  byId("footer").append(` It is loaded again every ${formatDuration(report.follow)} while the search runs.`);
  setInterval(() => {
    const typing = document.activeElement === byId("filter");
    const marking = String(getSelection()) !== "";
    if (document.hidden || typing || marking) return;
    save();
    location.reload();
  }, 1000 * report.follow);
}

start();
