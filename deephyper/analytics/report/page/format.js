// Values as text for people. Nothing here is ever put into the page as HTML.

const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const JOINERS = "\u200c\u200d";

/** Return text with what is invisible in it written out, as `\x1b` or `\u202e`. */
function shown(text, lines = false) {
  return String(text).replace(HIDDEN, (char) => {
    if (JOINERS.includes(char) || (lines && "\n\t".includes(char))) return char;
    const code = char.codePointAt(0).toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u${code.padStart(4, "0")}`;
  });
}

/** Return a number with so many significant digits, without zeros at the end. */
function formatNumber(number, digits = 6) {
  if (Number.isNaN(number)) return "nan";
  if (!Number.isFinite(number)) return number > 0 ? "inf" : "-inf";
  if (Number.isInteger(number) && Math.abs(number) < 1e15) return String(number);
  if (Math.abs(number) < 1e-4) {
    return number.toExponential(digits - 1).replace(/\.?0*e/, "e");
  }
  return String(Number(number.toPrecision(digits)));
}

/** Return a number with as many digits as tell it from others in a range. */
function formatWithin(number, {low, high}) {
  const size = Math.max(Math.abs(low), Math.abs(high));
  const digits = Math.ceil(Math.log10(size / (high - low) || 1)) + 2;
  return formatNumber(number, Math.min(15, Math.max(3, digits)));
}

function formatShare(share) {
  return `${(100 * share).toFixed(1)}%`;
}

/** Return seconds for people, with their two largest units: `2 h 5 min`. */
function formatDuration(seconds) {
  if (!(seconds >= 0)) return "0 s";
  if (seconds < 10) return `${Number(seconds.toPrecision(2))} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const i = units.findIndex(([, size]) => seconds >= size);
  const rest = Math.floor((seconds % units[i][1]) / units[i + 1][1]);
  const large = `${Math.floor(seconds / units[i][1])} ${units[i][0]}`;
  return rest ? `${large} ${rest} ${units[i + 1][0]}` : large;
}

function formatTime(secondsSinceEpoch) {
  return new Date(1000 * secondsSinceEpoch).toLocaleString();
}

/** Return the unit in which so long a time is drawn, and its length in seconds. */
function timeUnit(seconds) {
  const units = [["days", 86400], ["hours", 3600], ["minutes", 60], ["seconds", 1]];
  return units.find(([, size]) => seconds >= 2 * size) ?? units[3];
}

function plural(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

function shorten(text, longest) {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}

/** Return an element with a class, text and children. */
function element(name, {class: className, text, ...attributes} = {}, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function byId(id) {
  return document.getElementById(id);
}

/** Put text on the clipboard, and say so on the button that was pressed. */
async function copyText(text, button) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = element("textarea", {class: "hidden"});
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    button.focus();
  }
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = before; }, 1500);
}
