// The page on paper: there is no time to draw when it is printed, so pictures of the charts, which can
// be made as narrow as the paper, take their places, and the table shows its first rows.

/** Return a picture of a chart, which is not hidden, as it is now; null if it isn't drawn yet. */
function pictureOf(target) {
  const view = target.dataset.drawn ? shownViews.get(target) : undefined;
  if (!view) return null;
  const {canvas} = view.export("auto", true);
  canvas.className = "picture";
  canvas.removeAttribute("style");
  canvas.style.maxWidth = `${target.clientWidth}px`;
  return canvas;
}

function preparePrint(evaluations) {
  evaluations.setPrinted(true);
  const pictures = charts.map(({target}) => [target, target.querySelector(".picture") ? null : pictureOf(target)]);
  for (const [target, picture] of pictures) {
    if (!picture) continue;
    target.append(picture);
    target.classList.add("pictured");
  }
}

function endPrint(evaluations) {
  evaluations.setPrinted(false);
  for (const picture of document.querySelectorAll(".plot > .picture")) {
    picture.parentElement.classList.remove("pictured");
    picture.remove();
  }
}

/** Prepare the page when it is printed, in whichever way a browser tells of it. */
function listenToPrint(evaluations) {
  addEventListener("beforeprint", () => preparePrint(evaluations));
  addEventListener("afterprint", () => endPrint(evaluations));
  matchMedia("print").addEventListener("change", ({matches}) => (matches ? preparePrint : endPrint)(evaluations));
}
