// Sounds: decoded from the page or fetched from the server, kept, and played one at a time.

const soundAddresses = new Map(); // name -> promise of a blob's address

function soundAddress(name) {
  if (!soundAddresses.has(name)) {
    const address = fetchSound(name).then((blob) => URL.createObjectURL(blob));
    address.catch(() => soundAddresses.delete(name)); // so that a next try tries again
    soundAddresses.set(name, address);
  }
  return soundAddresses.get(name);
}

async function fetchSound(name) {
  const element = document.getElementById(`sound-${name}`);
  if (element) {
    const bytes = Uint8Array.from(atob(element.textContent), (c) => c.charCodeAt(0));
    return new Blob([bytes], { type: "audio/flac" });
  }
  const reply = await fetch(`sounds/${name}`);
  if (!reply.ok) throw new Error(String(reply.status));
  return new Blob([await reply.arrayBuffer()], { type: "audio/flac" });
}

let playing = null;

function stopPlaying() {
  if (playing) playing.pause();
  playing = null;
}

const ICONS = {
  play: "M8 5v14l11-7z",
  pause: "M6 5h4v14H6zM14 5h4v14h-4z",
};

function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

// A button that plays `name` from its start or goes on; `ended` is called whenever it was heard to the end.
// There is no way to jump forward.
function makePlayer(label, name, key, ended) {
  const audio = new Audio();
  const bar = h("div", { class: "level" }, h("div", {}));
  const note = h("span", { class: "note" });
  const button = h("button", { type: "button", class: "play" }, icon("play"));
  const box = h("div", { class: "player" }, button,
    h("div", { class: "about" }, h("div", { class: "label" }, label, key && h("kbd", {}, key), note), bar));
  const player = { box, audio, plays: 0, toggle };
  button.setAttribute("aria-label", label);

  const show = (text) => { note.textContent = text; };
  const draw = () => button.replaceChildren(icon(audio.paused ? "play" : "pause"));
  async function load() {
    show(words().loading);
    try {
      audio.src = await soundAddress(name);
      show("");
    } catch {
      show(words().failed);
    }
  }
  async function toggle() {
    if (!audio.paused) return audio.pause();
    stopPlaying();
    playing = audio;
    if (!audio.src) await load();
    if (!audio.src || playing !== audio) return undefined;
    if (audio.currentTime === 0) player.plays += 1;
    return audio.play().then(() => show("")).catch((error) => {
      if (error.name !== "AbortError") show(words().unplayable);
    });
  }
  function tick() {
    bar.firstChild.style.width = `${audio.duration ? (100 * audio.currentTime) / audio.duration : 0}%`;
    if (!audio.paused) requestAnimationFrame(tick);
  }
  button.addEventListener("click", toggle);
  audio.addEventListener("play", () => { draw(); tick(); });
  audio.addEventListener("pause", draw);
  audio.addEventListener("ended", () => {
    if (playing === audio) playing = null;
    audio.currentTime = 0;
    box.classList.add("heard");
    draw();
    ended();
  });
  load();
  return player;
}
