// One listener's way through the test: order, place and answers, kept in the browser after every step.

const TEST = JSON.parse(document.getElementById("test").textContent);
const KEY = `ctap-listening-${TEST.id}`;

let session = null; // {listener, name, language, slot, order, at, revision, answers, heard}
let storageWorks = true;

function loadSession() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    session = kept && kept.listener ? kept : null;
  } catch {
    storageWorks = false;
  }
}

function keepSession() {
  try {
    if (session) localStorage.setItem(KEY, JSON.stringify(session));
    else localStorage.removeItem(KEY);
    storageWorks = true;
  } catch {
    storageWorks = false; // private browsing or a full disk: goes on without
  }
}

function newListenerId() {
  // crypto.randomUUID is missing where a page came over plain http from another machine
  return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
}

function randomBelow(n) {
  return Math.floor((crypto.getRandomValues(new Uint32Array(1))[0] / 2 ** 32) * n);
}

// The stretch of a question's cyclic sequence that listener number `slot` rates, as ctap/listening/plan.py says.
function stretch(question, slot) {
  const n = question.sequence.length;
  return Array.from({ length: question.take }, (_, i) => question.sequence[(slot * question.take + i) % n]);
}

// Random order; where one sentence would follow itself, a later trial is brought forward if there is one that fits.
function shuffled(trials) {
  const order = [...trials];
  for (let i = order.length - 1; i > 0; i--) {
    const j = randomBelow(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  const item = (i) => TEST.trials[order[i]].item;
  for (let i = 1; i < order.length; i++) {
    if (item(i) !== item(i - 1)) continue;
    let j = i + 1;
    while (j < order.length && item(j) === item(i - 1)) j++;
    if (j < order.length) [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

function beginSession(listener, name, slot) {
  session = {
    listener, name, slot, at: 0, revision: 0, answers: {}, heard: {},
    order: TEST.questions.map((question) => shuffled(stretch(question, slot))),
  };
  keepSession();
}

// All steps: an introduction and its trials for each question, then the end.
function steps() {
  const all = [];
  TEST.questions.forEach((question, part) => {
    all.push({ kind: "part", question, part });
    session.order[part].forEach((trial, i) => all.push({ kind: "trial", question, part, trial, i }));
  });
  all.push({ kind: "end" });
  return all;
}

function trialsInAll() {
  return TEST.questions.reduce((sum, question) => sum + question.take, 0);
}

function recordAnswer(trial, score, seconds, plays) {
  session.revision += 1;
  session.answers[trial] = { score, seconds: Math.round(seconds * 10) / 10, plays, revision: session.revision, sent: false };
  keepSession();
}

// What an offline listener sends to whoever runs the test.
function exported() {
  return JSON.stringify({
    format: TEST.format,
    test: TEST.id,
    listener: { id: session.listener, name: session.name, slot: session.slot },
    answers: Object.entries(session.answers).map(([trial, { score, seconds, plays, revision }]) =>
      ({ trial, score, seconds, plays, revision })),
  }, null, 1);
}
