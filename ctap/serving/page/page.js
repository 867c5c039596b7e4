"use strict";
const $ = (id) => document.getElementById(id);
const SCALE = 3; // screen pixels of a frame
let models = [], limits = {}, source = null, recording = null, shown = null;

function tell(text, wrong = false) {
  $("status").textContent = text;
  $("status").className = wrong ? "wrong" : "";
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

function base64Of(blob) {
  return new Promise((done, fail) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => fail(new Error("the file can't be read"));
    reader.readAsDataURL(blob);
  });
}

function play(audio, blob) {
  if (audio.src) URL.revokeObjectURL(audio.src);
  audio.src = URL.createObjectURL(blob);
  audio.hidden = false;
}

async function ask(verb, body) {
  const address = `/api/models/${encodeURIComponent($("model").value)}/${verb}`;
  const reply = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await reply.json();
  if (!reply.ok) throw new Error(answer.error);
  return answer;
}

async function voice() {
  if ($("voice").value) return { voice: $("voice").value };
  const file = $("prompt").files[0];
  if (!file) throw new Error("choose a voice, or a recording of one");
  return { prompt: await base64Of(file) };
}

async function work(button, doing, act) {
  button.disabled = true;
  tell(doing);
  const started = performance.now();
  try {
    const answer = await act();
    show(answer);
    tell(`done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  } catch (error) {
    tell(error.message, true);
  } finally {
    button.disabled = false;
  }
}

function show(answer) {
  shown = answer;
  $("result").hidden = false;
  $("sound").hidden = !answer.wav;
  if (answer.wav) {
    play($("sound"), new Blob([bytesOf(answer.wav)], { type: "audio/wav" }));
    $("sound").play().catch(() => {}); // a browser may want a click first
  }
  const heard = answer.heard || answer.phones;
  $("phones").textContent = (heard ? heard.join(" ") : "") + (answer.text ? ` — ${answer.text}` : "");
  draw(0);
}

function draw(seconds) {
  const { frames, bins, bytes } = shown.mel, canvas = $("picture"), high = canvas.height - 20;
  const values = bytesOf(bytes), image = new ImageData(frames, bins);
  for (let t = 0; t < frames; t++) {
    for (let m = 0; m < bins; m++) {
      const v = values[t * bins + m], at = 4 * ((bins - 1 - m) * frames + t);
      image.data.set([v, Math.max(0, v * 1.3 - 75), 80 + v * 0.4, 255], at);
    }
  }
  canvas.width = Math.min(frames * SCALE, 12000);
  const wide = canvas.width / frames, pen = canvas.getContext("2d");
  const small = new OffscreenCanvas(frames, bins);
  small.getContext("2d").putImageData(image, 0, 0);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(small, 0, 0, canvas.width, high);
  pen.font = "11px sans-serif";
  let at = 0;
  (shown.phones && shown.durations ? shown.durations : []).forEach((length, i) => {
    pen.fillStyle = "#fff8";
    pen.fillRect(at * wide, 0, 1, high);
    pen.fillStyle = "#222";
    if (length * wide > 12) pen.fillText(shown.phones[i], at * wide + 2, canvas.height - 6);
    at += length;
  });
  pen.fillStyle = "#b3261e";
  if (seconds > 0) pen.fillRect((seconds / shown.frame_shift) * wide, 0, 2, high);
}

function wavOf(samples, rate) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const word = (at, text) => [...text].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  word(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  word(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  word(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((x, i) => view.setInt16(44 + 2 * i, Math.max(-1, Math.min(1, x)) * 32767, true));
  return new Blob([view], { type: "audio/wav" });
}

async function record() {
  if (!navigator.mediaDevices) throw new Error("this browser records only over HTTPS, or on the server's own machine");
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const context = new AudioContext(), blocks = [];
  await context.audioWorklet.addModule("/recorder.js");
  const node = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
  node.port.onmessage = (event) => {
    blocks.push(event.data);
    if (blocks.length * event.data.length > limits.audio_seconds * context.sampleRate) stop();
  };
  context.createMediaStreamSource(stream).connect(node);
  const stop = async () => {
    if (!recording) return;
    recording = null;
    stream.getTracks().forEach((track) => track.stop());
    const most = Math.floor(limits.audio_seconds * context.sampleRate), rate = context.sampleRate;
    await context.close();
    $("record").setAttribute("aria-pressed", "false");
    $("record").textContent = "Record";
    take(wavOf(blocks.flatMap((block) => [...block]).slice(0, most), rate));
    tell("recorded");
  };
  recording = stop;
  $("record").setAttribute("aria-pressed", "true");
  $("record").textContent = "Stop";
  tell("recording");
}

function take(blob) {
  source = blob;
  play($("heard"), blob);
  choose();
}

function choose() {
  const own = models.find((m) => m.name === $("model").value);
  $("say").disabled = !own.can.includes("synthesize");
  $("convert").disabled = !source || !own.can.includes("convert");
  $("recognize").disabled = !source || !own.can.includes("recognize");
  $("melody-label").hidden = !own.can.includes("convert") || !own.melodies.includes("source");
  $("prompt-label").hidden = $("voice").value !== "";
}

function fill() {
  const own = models.find((m) => m.name === $("model").value);
  const options = own.voices.map((name) => new Option(name, name));
  $("voice").replaceChildren(...options, new Option("a recording of mine", ""));
  $("writing").textContent = own.writing;
  if (models.some((m) => m.example === $("text").value) || !$("text").value) $("text").value = own.example;
  $("text").lang = own.language;
  choose();
}

$("model").onchange = fill;
$("voice").onchange = choose;
$("source").onchange = () => $("source").files[0] && take($("source").files[0]);
$("record").onclick = () => (recording ? recording() : record().catch((error) => tell(error.message, true)));
$("sound").ontimeupdate = () => draw($("sound").currentTime);
$("say").onclick = () =>
  work($("say"), "speaking", async () =>
    ask("synthesize", { text: $("text").value, speed: Number($("speed").value), ...(await voice()) }));
$("convert").onclick = () =>
  work($("convert"), "converting", async () => {
    const melody = !$("melody-label").hidden && $("melody").checked ? "source" : "model";
    return ask("convert", { source: await base64Of(source), melody, ...(await voice()) });
  });
$("recognize").onclick = () =>
  work($("recognize"), "listening", async () => ask("recognize", { source: await base64Of(source) }));

(async () => {
  const reply = await fetch("/api/models");
  ({ models, limits } = await reply.json());
  $("model").replaceChildren(...models.map((m) => new Option(m.name, m.name)));
  $("text").maxLength = limits.characters;
  fill();
})().catch((error) => tell(error.message, true));
