// The page without this script is whole; with it, it stays true: it reads itself anew when the
// monitor has news, says at once when the stream breaks, and takes keys.
"use strict";

const SILENT_MS = 8000;
const LEAST_MS = 3000;
const body = document.body;
const words = document.getElementById("fresh-words");
const news = document.getElementById("news");
let heardAt = Date.now();
let readAt = Date.now();
let wanted = 0;
let reading = false;
let broken = false;

const main = () => document.getElementById("main");
const clock = (ms) => new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

function say(tone, sentence) {
  if (body.dataset.tone !== tone) body.dataset.tone = tone;
  if (words.textContent !== sentence) words.textContent = sentence;
}

function lost() {
  broken = true;
  say("lost", `Not live since ${clock(heardAt)}: this page has lost the monitor. What is shown is of then.`);
}

// Somebody who is writing or choosing is not to lose it.
function isBusy() {
  const at = document.activeElement;
  const typed = [...main().querySelectorAll("textarea, input[type=search], input[type=password]")];
  return document.getElementById("help").open || typed.some((field) => field.value !== field.defaultValue)
    || (at && main().contains(at) && at.matches("select, textarea, input"));
}

function keep(next) {
  const at = document.activeElement;
  const address = at && main().contains(at) ? at.getAttribute("href") : null;
  const open = [...main().querySelectorAll("details")].map((one) => one.open);
  const scrolled = [...main().querySelectorAll(".scroll")].map((one) => one.scrollLeft);
  main().replaceWith(next);
  next.querySelectorAll("details").forEach((one, i) => { one.open = open[i] === true; });
  next.querySelectorAll(".scroll").forEach((one, i) => { one.scrollLeft = scrolled[i] || 0; });
  if (address) {
    const again = [...next.querySelectorAll("a[href]")].find((one) => one.getAttribute("href") === address);
    if (again) again.focus({ preventScroll: true });
  }
}

async function readAnew() {
  if (reading || document.hidden || isBusy() || Date.now() - readAt < LEAST_MS) return;
  reading = true;
  try {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = page.getElementById("main");
    if (next && !isBusy()) {
      keep(document.adoptNode(next));
      document.title = page.title;
      document.querySelector("footer").replaceWith(document.adoptNode(page.querySelector("footer")));
    }
  } catch {
    // The stream says whether the monitor is away; the next pulse tries again.
  } finally {
    reading = false;
    readAt = Date.now();
  }
}

function hear(event) {
  const pulse = JSON.parse(event.data);
  heardAt = Date.now();
  const wasBroken = broken;
  broken = false;
  say(pulse.tone, pulse.sentence);
  for (const title of pulse.news) {
    const line = document.createElement("p");
    line.textContent = `New incident: ${title}`;
    news.replaceChildren(line);
  }
  wanted = pulse.version;
  if (wasBroken || String(wanted) !== main().dataset.version || Date.now() - readAt > 30000) readAnew();
}

if (["now", "incident", "scope", "history", "coverage"].includes(main().dataset.page)) {
  let stream = null;
  const listen = () => {
    stream = new EventSource("/live");
    stream.onmessage = hear;
  };
  listen();
  setInterval(() => {
    if (Date.now() - heardAt <= SILENT_MS) return;
    lost();
    if (stream.readyState === EventSource.CLOSED) listen();
  }, 1000);
  document.addEventListener("visibilitychange", readAnew);
}

function move(by) {
  const rows = [...document.querySelectorAll("[data-row]")];
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement);
  const next = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

function acknowledge() {
  const form = document.getElementById("acknowledge");
  if (form && confirm("Acknowledge this incident?")) form.requestSubmit(form.querySelector("button"));
}

document.addEventListener("keydown", (event) => {
  const at = event.target;
  if (event.ctrlKey || event.metaKey || event.altKey || at.matches("input, textarea, select")) return;
  const keys = {
    "/": () => {
      const filter = document.getElementById("filter");
      if (filter) filter.focus(); else location.assign("/history#filter");
    },
    j: () => move(1),
    k: () => move(-1),
    a: acknowledge,
    "?": () => document.getElementById("help").showModal(),
  };
  const act = keys[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});
if (location.hash === "#filter" && document.getElementById("filter")) document.getElementById("filter").focus();
