"use strict";
// One page of a live run: the picture (WebRTC, else MJPEG), the controls, and how the run does.

const $ = (id) => document.getElementById(id);
const CONNECT_MS = 3000; // how long WebRTC may take before MJPEG takes over
const RETRY_MS = [500, 1000, 2000, 4000];
const HIDDEN_MS = 30000; // a page that nobody has seen for so long lets the run rest
const GRAPH_S = 30;
const COLOURS = { depth: "#5aa9e6", layers: "#77d49a", refocus: "#f0b54a", sink: "#c59bf0" };
const stage = $("stage"), video = $("video"), image = $("image");
let socket = null, tries = 0, state = null, moment = null, history = [], retry = null;

// ---- talk with the server ----------------------------------------------------------------------

function connect() {
  clearTimeout(retry);
  const mine = socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/control`);
  socket.onopen = () => { tries = 0; history = []; lost(null); stream.start(); };
  socket.onmessage = (event) => take(JSON.parse(event.data));
  socket.onclose = async () => {
    if (mine !== socket) return;
    stream.pause(); // the last picture stays
    if (document.hidden) return; // whoever comes back connects
    status("lost", "Disconnected");
    lost("Connection lost. Trying to reconnect…");
    const wait = RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)];
    try {
      const answer = await fetch("/", { method: "HEAD", cache: "no-store" });
      if (answer.status === 403) lost("That run has ended. Open the address that the new one has printed.");
    } catch { /* nobody there yet */ }
    if (mine === socket) retry = setTimeout(connect, wait);
  };
}

let leave;
document.addEventListener("visibilitychange", () => {
  clearTimeout(leave);
  if (document.hidden) leave = setTimeout(() => socket.close(), HIDDEN_MS);
  else if (socket.readyState > WebSocket.OPEN) connect();
});

function send(order) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(order));
}

function take(message) {
  if (message.limits) ranges(message.limits);
  if (message.answer) stream.answered(message.answer, message.id);
  if (message.error) toast(message.error);
  if (message.refused) stream.refused(message.refused);
  if (message.news) toast(message.news);
  if (message.state) { show(message.state, message.plan); measure(message.moment); }
}

function status(kind, text) { $("status").dataset.state = kind; $("status").textContent = text; }

function lost(text) {
  stage.classList.toggle("lost", text !== null);
  $("banner").hidden = text === null;
  $("banner").textContent = text ?? "";
}

let toastTimer;
function toast(text) {
  $("toast").textContent = text;
  $("toast").hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { $("toast").hidden = true; }, 5000);
}

// ---- the picture -------------------------------------------------------------------------------

const stream = {
  peer: null, timers: [], kind: "", offered: 0,
  start() {
    this.stop();
    if ($("stream").value !== "mjpeg" && window.RTCPeerConnection) this.webrtc(); else this.mjpeg();
  },
  pause() {
    this.timers.forEach(clearTimeout);
    this.timers = [];
    this.peer?.close();
    this.peer = null;
  },
  stop() {
    this.pause();
    video.srcObject = null;
    image.removeAttribute("src");
    video.hidden = image.hidden = true;
    $("stream-now").textContent = this.kind = "";
  },
  async webrtc() {
    const peer = this.peer = new RTCPeerConnection({ iceServers: [] });
    const { receiver } = peer.addTransceiver("video", { direction: "recvonly" });
    if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0; // the newest picture, not the smoothest
    peer.ontrack = (event) => { video.srcObject = new MediaStream([event.track]); };
    peer.onconnectionstatechange = () => { if (peer === this.peer && peer.connectionState === "failed") this.fallBack(); };
    this.later(2 * CONNECT_MS, () => { if (peer.connectionState !== "connected") this.fallBack(); }); // no answer
    await peer.setLocalDescription(await peer.createOffer());
    if (peer === this.peer) send({ do: "offer", id: ++this.offered, sdp: peer.localDescription.sdp });
  },
  answered(sdp, id) {
    if (id !== this.offered) return; // to an offer that is void by now
    const peer = this.peer, frames = moment?.frames ?? 0;
    peer?.setRemoteDescription({ type: "answer", sdp }).catch(() => this.fallBack());
    this.later(CONNECT_MS, () => { if (peer?.connectionState !== "connected") this.fallBack(); });
    // Connected, and pictures are made, but this browser cannot show them.
    this.later(2 * CONNECT_MS, () => { if (!video.videoWidth && (moment?.frames ?? 0) > frames + 5) this.fallBack(); });
  },
  refused(id) { if (id === this.offered && this.peer) this.fallBack(); },
  later(ms, work) { this.timers.push(setTimeout(work, ms)); },
  fallBack() {
    this.stop();
    if ($("stream").value === "webrtc") toast("WebRTC cannot connect from here; showing MJPEG instead.");
    this.mjpeg();
  },
  mjpeg() { image.src = `/stream.mjpg?${Date.now()}`; this.shown(image, "MJPEG"); },
  shown(element, name) {
    element.hidden = false;
    $("empty").hidden = true;
    $("stream-now").textContent = this.kind = name;
    fit();
  },
};
video.onloadeddata = () => stream.shown(video, "WebRTC");
video.onresize = image.onload = () => fit();
image.onerror = () => { if (stream.kind === "MJPEG" && socket?.readyState === WebSocket.OPEN) stream.later(1000, () => stream.start()); };
$("stream").onchange = () => stream.start();

function natural() {
  return video.hidden ? [image.naturalWidth, image.naturalHeight] : [video.videoWidth, video.videoHeight];
}

function fit() { // the phone's picture is as high as it needs to be
  const [width, height] = natural();
  if (width) document.documentElement.style.setProperty("--ratio", height / width);
}

function pictureBox() { // where the picture is within the stage, bars left out
  const [width, height] = natural();
  const box = stage.getBoundingClientRect(), scale = Math.min(box.width / width, box.height / height);
  const w = width * scale, h = height * scale;
  return { left: (box.width - w) / 2, top: (box.height - h) / 2, width: w, height: h, box };
}

// ---- focus by pointing -------------------------------------------------------------------------

let mark = [0.5, 0.5], reticleTimer;
function aim(x, y, steady) {
  const at = pictureBox(), reticle = $("reticle");
  reticle.hidden = true;
  void reticle.offsetWidth; // begin the animation anew
  reticle.style.left = `${at.left + x * at.width}px`;
  reticle.style.top = `${at.top + y * at.height}px`;
  reticle.classList.toggle("steady", steady);
  reticle.hidden = false;
  clearTimeout(reticleTimer);
  if (!steady) reticleTimer = setTimeout(() => { reticle.hidden = true; }, 1400);
}

stage.onclick = (event) => {
  const at = pictureBox();
  const x = (event.clientX - at.box.left - at.left) / at.width, y = (event.clientY - at.box.top - at.top) / at.height;
  if (!(x >= 0 && x <= 1 && y >= 0 && y <= 1)) return;
  mark = [x, y];
  aim(x, y, false);
  send({ do: "point", x, y });
};
stage.onkeydown = (event) => {
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (step) mark = mark.map((v, i) => Math.min(1, Math.max(0, v + step[i] * 0.02)));
  if (event.key === "Enter") send({ do: "point", x: mark[0], y: mark[1] });
  if (step || event.key === "Enter") { event.preventDefault(); aim(...mark, Boolean(step)); }
};
stage.onblur = () => { $("reticle").hidden = true; };

// ---- controls ----------------------------------------------------------------------------------

function ranges({ views, aperture, layers }) {
  [$("aperture").min, $("aperture").max] = aperture;
  [$("layers").min, $("layers").max] = layers;
  buttons($("views"), views, (name) => name, (name) => send({ do: "view", value: name }));
}

function buttons(parent, values, label, press) {
  if (parent.dataset.values === String(values)) return;
  parent.dataset.values = String(values);
  parent.replaceChildren(...values.map((value) => {
    const button = document.createElement("button");
    button.textContent = label(value);
    button.value = value;
    button.onclick = () => press(value);
    return button;
  }));
}

const press = (button, on) => button.setAttribute("aria-pressed", on);
document.querySelectorAll("#focus [data-focus]").forEach((button) => {
  button.onclick = () => send({ do: "focus", value: button.dataset.focus });
});
$("hold").onclick = () => send({ do: "hold", value: !state?.held });
$("mirror").onchange = () => send({ do: "mirror", value: $("mirror").checked });
$("record").onclick = () => send({ do: "record", value: !state?.recording });
$("still").onclick = () => send({ do: "still" });

function slider(id, order, text) {
  const input = $(id);
  const label = () => {
    $(`${id}-value`).textContent = text(Number(input.value));
    input.style.setProperty("--part", `${(100 * (input.value - input.min)) / (input.max - input.min)}%`);
  };
  let held = false, until = 0; // what the server says must not pull the thumb from under the hand
  input.addEventListener("pointerdown", () => { held = true; });
  for (const end of ["pointerup", "pointercancel"]) input.addEventListener(end, () => { held = false; until = performance.now() + 700; });
  input.addEventListener("input", () => { until = performance.now() + 700; label(); send(order(Number(input.value))); });
  return (value) => { if (!held && performance.now() > until) { input.value = value; label(); } };
}
const setAperture = slider("aperture", (value) => ({ do: "aperture", value }), (value) => value.toFixed(1));
const setLayers = slider("layers", (value) => ({ do: "layers", value }), String);
const setDepth = slider("depth", (value) => ({ do: "focus", value: String(value) }), (value) => value.toFixed(2));

const TARGETS = { auto: "on the subject", nearest: "on the nearest layer" };
function inWords({ focus, held }) {
  if (held) return "held where it is";
  if (focus.startsWith("layer:")) return `on layer ${focus.slice(6)}`;
  return TARGETS[focus] ?? (focus.includes(",") ? "on what you picked, followed" : "at a fixed depth");
}

function show(now, plan) {
  state = now;
  $("focus-now").textContent = inWords(now);
  document.querySelectorAll("#focus [data-focus]").forEach((b) => press(b, !now.held && now.focus === b.dataset.focus));
  press($("hold"), now.held);
  document.querySelectorAll("#views button").forEach((b) => press(b, b.value === now.view));
  const numbers = Array.from({ length: now.layers }, (_, i) => i + 1);
  buttons($("layer-focus"), numbers, String, (n) => send({ do: "focus", value: `layer:${n}` }));
  document.querySelectorAll("#layer-focus button").forEach((b) => press(b, !now.held && now.focus === `layer:${b.value}`));
  $("mirror").checked = now.mirror;
  setAperture(now.aperture);
  setLayers(now.layers);
  if (plan) { setDepth(plan.focus); ticks(plan.layers); }
  press($("record"), Boolean(now.recording));
  $("record").textContent = now.recording ? "Stop" : "Record";
  $("badge").hidden = !now.recording;
  const s = Math.floor(now.recorded_s);
  $("badge-time").textContent = `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
  files(now.takes);
}

function ticks(layers) {
  const rail = $("ticks");
  while (rail.children.length > layers.length) rail.lastChild.remove();
  while (rail.children.length < layers.length) rail.append(document.createElement("i"));
  layers.forEach((layer, i) => { rail.children[i].style.left = `${100 * (1 - layer)}%`; });
}

function files(names) {
  if ($("takes").dataset.names === String(names)) return;
  $("takes").dataset.names = String(names);
  $("takes").replaceChildren(...[...names].reverse().map((name) => {
    const item = document.createElement("li"), link = document.createElement("a");
    link.href = `/takes/${encodeURIComponent(name)}`;
    link.download = link.textContent = name;
    item.append(link);
    return item;
  }));
}

// ---- how the run does --------------------------------------------------------------------------

function measure(now) {
  moment = now;
  if (!now) return;
  const flows = now.frames > 0;
  status(flows ? "live" : "waiting", flows ? "Live" : "Waiting for the source");
  $("fps").textContent = now.fps.toFixed(0);
  $("latency").textContent = flows ? `${now.latency_ms.toFixed(0)} ms` : "–";
  $("dropped").textContent = now.dropped;
  const at = performance.now() / 1000;
  history.push({ at, ...now.stages_ms });
  history = history.filter((entry) => entry.at > at - GRAPH_S);
  legend(now.stages_ms);
  graph(at);
}

function legend(stages) {
  const list = $("legend");
  if (!list.children.length) {
    for (const [name, colour] of Object.entries(COLOURS)) {
      const item = document.createElement("li"), dot = document.createElement("i"), value = document.createElement("b");
      dot.style.background = colour;
      item.append(dot, name, value);
      list.append(item);
    }
  }
  Object.keys(COLOURS).forEach((name, i) => { list.children[i].lastChild.textContent = `${(stages[name] ?? 0).toFixed(1)} ms`; });
}

function graph(at) { // stacked; the source is left out, for it mostly waits for the next picture
  const canvas = $("graph"), ratio = devicePixelRatio, width = canvas.clientWidth, height = canvas.clientHeight;
  [canvas.width, canvas.height] = [width * ratio, height * ratio];
  const ink = canvas.getContext("2d");
  ink.scale(ratio, ratio);
  const names = Object.keys(COLOURS);
  const total = (entry) => names.reduce((sum, name) => sum + (entry[name] ?? 0), 0);
  const totals = history.map(total).sort((a, b) => a - b), most = totals[Math.floor(totals.length * 0.95)] ?? 0; // one hitch may stick out
  const top = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000].find((v) => v >= most * 1.1) ?? most;
  const x = (entry) => width - ((at - entry.at) / GRAPH_S) * width, y = (ms) => height - (ms / top) * (height - 18);
  const floor = history.map(() => 0);
  for (const name of names) {
    ink.beginPath();
    history.forEach((entry, i) => ink.lineTo(x(entry), y(floor[i] + (entry[name] ?? 0))));
    for (let i = history.length - 1; i >= 0; i--) ink.lineTo(x(history[i]), y(floor[i]));
    history.forEach((entry, i) => { floor[i] += entry[name] ?? 0; });
    ink.fillStyle = COLOURS[name];
    ink.fill();
  }
  ink.fillStyle = "#a3abb5";
  ink.font = "12px system-ui, sans-serif";
  ink.fillText(`${top} ms`, 8, 14);
  ink.textAlign = "right";
  ink.fillText(`last ${GRAPH_S} s`, width - 8, 14);
}

new ResizeObserver(() => graph(performance.now() / 1000)).observe($("graph"));

// ---- keys: the window's ------------------------------------------------------------------------

const focusOn = (value) => () => send({ do: "focus", value });
const view = (value) => () => send({ do: "view", value: state?.view === value ? "refocus" : value });
const aperture = (sign) => () => {
  const now = state?.aperture ?? 0, step = now < 10 ? 0.5 : now < 20 ? 1 : 2;
  send({ do: "aperture", value: Math.min(Number($("aperture").max), Math.max(0, (Math.round(now / step) + sign) * step)) });
};
const layers = (by) => () => send({ do: "layers", value: (state?.layers ?? 0) + by });
const full = () => (document.fullscreenElement ? document.exitFullscreen() : stage.requestFullscreen?.());
const help = () => ($("help").open ? $("help").close() : $("help").showModal());
const KEYS = [
  ["click", "focus there"], ["a", "focus on the subject", { a: focusOn("auto") }], ["n", "focus on the nearest", { n: focusOn("nearest") }],
  ["1 … 9", "focus on a layer", Object.fromEntries([..."123456789"].map((n) => [n, focusOn(`layer:${n}`)]))],
  ["space", "hold the focus", { " ": () => $("hold").click() }],
  ["[ ]", "close, open the aperture", { "[": aperture(-1), "]": aperture(1) }],
  ["- +", "fewer, more layers", { "-": layers(-1), "+": layers(1), "=": layers(1) }],
  ["m", "mirror", { m: () => $("mirror").click() }], ["r", "record, stop", { r: () => $("record").click() }],
  ["c", "keep a still picture", { c: () => $("still").click() }],
  ["d", "depth", { d: view("depth") }], ["l", "layers", { l: view("layers") }], ["s", "side by side", { s: view("side") }],
  ["p", "focus peaking", { p: view("peaking") }], ["z", "focus zones", { z: view("zone") }],
  ["o", "statistics", { o: () => { $("run").hidden = !$("run").hidden; } }],
  ["f", "full screen", { f: full }], ["h ?", "this help", { h: help, "?": help }],
];
const ACTIONS = Object.assign({}, ...KEYS.map(([, , presses]) => presses));
document.addEventListener("keydown", (event) => {
  const { tagName } = event.target;
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || tagName === "SELECT") return;
  if (event.key === " " && ["BUTTON", "INPUT", "A"].includes(tagName)) return; // there it presses
  const key = event.key.length === 1 ? event.key.toLowerCase() : "";
  if (Object.hasOwn(ACTIONS, key)) { event.preventDefault(); ACTIONS[key](); }
});
$("keys").replaceChildren(...KEYS.map(([caps, text]) => {
  const row = document.createElement("div"), term = document.createElement("dt"), what = document.createElement("dd");
  term.append(...caps.split(" ").map((cap) => { const sign = document.createElement("kbd"); sign.textContent = cap; return sign; }));
  what.textContent = text;
  row.append(term, what);
  return row;
}));
$("help-open").onclick = help;
$("help").onclick = (event) => { if (event.target === $("help")) help(); }; // beside it

connect();
