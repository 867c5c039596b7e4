// What the listener sees: start, parts, trials, end.

const $ = (id) => document.getElementById(id);
const words = () => WORDS[language];
let language = (navigator.language || "").toLowerCase().startsWith("zh") ? "zh" : "en";
let keys = {}; // of the screen that is shown

function h(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null && child !== false && child !== ""));
  return element;
}

function show(...children) {
  $("screen").replaceChildren(...children.filter(Boolean));
}

function render() {
  stopPlaying();
  keys = {};
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  $("title").textContent = TEST.title;
  $("language").textContent = words().other;
  const all = session ? steps() : [];
  const step = session ? all[Math.min(session.at, all.length - 1)] : { kind: "start" };
  const done = session ? Object.keys(session.answers).length : 0;
  $("progress").setAttribute("aria-valuemax", trialsInAll());
  $("progress").setAttribute("aria-valuenow", done);
  $("progress").firstElementChild.style.width = `${(100 * done) / trialsInAll()}%`;
  $("place").textContent = "";
  ({ start: showStart, part: showPart, trial: showTrial, end: showEnd })[step.kind](step, all);
  showStatus();
}

function go(by) {
  session.at = Math.max(0, Math.min(session.at + by, steps().length - 1));
  keepSession();
  render();
  window.scrollTo(0, 0);
}

function showStart() {
  const w = words();
  const name = h("input", { id: "name", maxlength: 60, autocomplete: "off" });
  const limited = TEST.questions.some((question) => question.take < question.sequence.length);
  const number = !TEST.server && limited && h("input", { id: "number", type: "number", min: 1, max: 1000000, inputmode: "numeric" });
  const problem = h("p", { class: "problem", role: "alert" });
  const button = h("button", { class: "main", id: "start" }, w.start);
  const [first] = TEST.questions[0].sequence;
  const volume = makePlayer(w.sample, TEST.trials[first].reference || TEST.trials[first].sound, "", () => {});
  async function start(event) {
    event.preventDefault();
    const listener = newListenerId();
    const typed = [...name.value].filter((c) => !/\p{C}/u.test(c)).join("").trim();
    let slot = number && number.value ? Number(number.value) - 1 : randomBelow(1000000);
    if (TEST.server) {
      button.disabled = true;
      button.textContent = w.starting;
      try {
        const { status, value } = await join(listener, typed, null);
        if (status !== 200) throw Object.assign(new Error(value.error || status), { full: status === 429 });
        slot = value.slot;
      } catch (error) {
        button.disabled = false;
        button.textContent = w.start;
        problem.textContent = error instanceof TypeError ? w.noServer : error.full ? w.full : w.refused(error.message);
        return;
      }
    }
    beginSession(listener, typed, slot);
    render();
  }
  show(h("h1", {}, TEST.title), h("p", {}, w.welcome, " ", w.amount(trialsInAll())),
    h("ul", {}, ...w.rules.map((rule) => h("li", {}, rule))),
    h("p", {}, w.volume), volume.box,
    h("form", { onsubmit: start }, h("label", { for: "name" }, w.name), name,
      number && h("label", { for: "number" }, w.number), number, problem, button));
}

function showPart({ question, part }) {
  const w = words();
  const mean = w.mean[question.key];
  const begin = h("button", { class: "main", onclick: () => go(1) }, w.go);
  show(h("p", { class: "kicker" }, `${w.part(part + 1, TEST.questions.length)} · ${w.ratings(question.take)}`),
    h("h1", {}, mean.title), h("p", {}, mean.about),
    h("ol", { class: "legend" }, ...mean.scale.map((word, i) => h("li", { value: i + 1 }, word)).reverse()),
    h("div", { class: "buttons" }, session.at > 0 && h("button", { onclick: () => go(-1) }, w.back), begin));
  keys = { Enter: () => go(1), Backspace: () => go(-1) };
}

function showTrial({ question, trial, i }, all) {
  const w = words();
  const mean = w.mean[question.key];
  const { sound, reference, text } = TEST.trials[trial];
  const opened = performance.now();
  const before = session.answers[trial];
  // A voice that was heard to the end once is known; a sentence is to be compared every time.
  const referenceKey = question.key === "speaker" ? reference : `${trial} reference`;
  const heard = session.heard;
  const hint = h("p", { class: "hint" }, reference ? w.listenBoth : w.listenFirst);
  const markHeard = (what) => { heard[what] = 1; keepSession(); update(); };
  const sample = makePlayer(w.sample, sound, "␣", () => markHeard(trial));
  const other = reference && makePlayer(mean.reference, reference, "R", () => markHeard(referenceKey));
  if (heard[trial]) sample.box.classList.add("heard");
  if (other && heard[referenceKey]) other.box.classList.add("heard");
  const ready = () => heard[trial] && (!other || heard[referenceKey]);
  const choices = mean.scale.map((word, place) => {
    const score = TEST.scores[place];
    const input = h("input", { type: "radio", name: "score", value: score, checked: before && before.score === score, onchange: () => rate(score) });
    return h("label", { class: "choice" }, input, h("b", {}, String(score)), h("span", {}, word));
  });
  const scale = h("fieldset", { class: "scale" }, h("legend", {}, mean.ask), ...choices);
  const next = h("button", { class: "main", id: "next", onclick: forward }, w.next);

  function update() {
    scale.disabled = !ready();
    hint.classList.toggle("gone", Boolean(ready()));
    next.disabled = !session.answers[trial];
  }
  function rate(score) {
    if (!ready()) {
      hint.classList.remove("nudge");
      void hint.offsetWidth; // starts the animation over
      hint.classList.add("nudge");
      return;
    }
    choices[TEST.scores.indexOf(score)].firstChild.checked = true;
    const seconds = (performance.now() - opened) / 1000 + (before ? before.seconds : 0);
    recordAnswer(trial, score, seconds, sample.plays + (before ? before.plays : 0));
    update();
    showStatus();
    sendAnswers();
  }
  function forward() {
    if (session.answers[trial]) go(1);
  }
  show(h("div", { class: "players" }, other && other.box, sample.box), text && h("p", { class: "text", lang: TEST.language }, text),
    hint, scale, h("div", { class: "buttons" }, h("button", { onclick: () => go(-1) }, w.back), next),
    h("p", { class: "keys" }, other ? w.keys : w.keysPlain));
  $("place").textContent = `${mean.title} · ${w.place(i + 1, question.take)}`;
  keys = { " ": sample.toggle, Enter: forward, Backspace: () => go(-1) };
  if (other) keys.r = other.toggle;
  for (const score of TEST.scores) keys[score] = () => rate(score);
  update();
  // the next ones are fetched meanwhile
  for (const ahead of all.slice(session.at + 1, session.at + 6)) {
    if (ahead.kind !== "trial") continue;
    const then = TEST.trials[ahead.trial];
    for (const name of [then.sound, then.reference]) if (name) soundAddress(name).catch(() => {});
  }
}

function showEnd() {
  const w = words();
  const missing = TEST.server && unsent().length > 0;
  const text = h("textarea", { readonly: true, rows: 8, hidden: true, "aria-label": w.show });
  const removal = h("p", { class: "problem", role: "alert" });
  function save() {
    const address = URL.createObjectURL(new Blob([exported()], { type: "application/json" }));
    const who = session.name.replace(/[^\p{L}\p{N}_-]+/gu, "_") || session.listener.slice(0, 8);
    h("a", { href: address, download: `answers-${TEST.id}-${who}.json` }).click();
  }
  function reveal() {
    text.hidden = false;
    text.value = exported();
    text.select();
  }
  function another() {
    if (!removal.textContent && (!TEST.server || unsent().length)) {
      removal.textContent = w.really;
      return;
    }
    session = null;
    keepSession();
    sender.refused = "";
    render();
  }
  const message = !TEST.server ? w.doneOffline : missing ? w.doneWaiting : w.doneServer;
  show(h("h1", {}, w.thanks), h("p", { id: "message" }, message),
    (!TEST.server || missing) && h("div", { class: "buttons" },
      h("button", { class: "main", id: "save", onclick: save }, w.save), h("button", { onclick: reveal }, w.show)),
    text, h("div", { class: "buttons last" }, h("button", { onclick: () => go(-1) }, w.back),
      h("button", { id: "another", onclick: another }, w.another)), removal);
  keys = { Backspace: () => go(-1) };
}

function showStatus() {
  const w = words();
  let text = "";
  if (session && TEST.server) {
    const waiting = unsent().length;
    if (sender.refused) text = w.refused(sender.refused);
    else if (waiting && sender.offline) text = w.waiting(waiting);
    else if (waiting) text = w.sending;
    else if (session.revision) text = w.saved;
  } else if (session && session.revision) {
    text = w.kept;
  }
  if (session && !storageWorks) text += ` ${w.noStorage}`;
  $("status").textContent = text;
  $("status").classList.toggle("problem", Boolean(sender.refused || sender.offline || !storageWorks));
}

function atEnd() {
  return session && session.at === steps().length - 1;
}

sender.changed = () => {
  showStatus();
  // arrived or not: the last screen says it
  if (atEnd() && TEST.server && Boolean($("save")) !== unsent().length > 0) render();
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const at = document.activeElement;
  if (at && (at.matches("input:not([type=radio]), textarea"))) return;
  // whoever moves by Tab presses the button that has the focus
  if ((event.key === " " || event.key === "Enter") && at && at.matches("button:focus-visible")) return;
  const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action) return;
  event.preventDefault();
  if (!event.repeat) action();
});

$("language").addEventListener("click", () => {
  language = language === "zh" ? "en" : "zh";
  if (session) {
    session.language = language;
    keepSession();
  }
  $("language").blur();
  render();
});

// The same test in another tab: the later answer holds, and neither tab loses the other's.
window.addEventListener("storage", (event) => {
  if (event.key !== KEY) return;
  loadSession();
  render();
});

window.addEventListener("beforeunload", (event) => {
  if (session && !storageWorks && session.revision) event.preventDefault();
});

loadSession();
if (session && session.language) language = session.language;
render();
sendAnswers();
