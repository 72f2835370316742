"use strict";
/* Whatever comes from the kiosk is set as text, never as markup; CSP forbids the rest. */
(() => {
  const EVERY_MS = 1000;
  const KEY = "gate-console-session";
  const $ = (id) => document.getElementById(id);
  let session = sessionStorage.getItem(KEY);
  let language = sessionStorage.getItem("language") || (navigator.language.startsWith("zh") ? "zh" : "en");
  const shown = new Map();
  let last = null;

  const word = (key) => WORDS[language][key] || WORDS.en[key] || key;
  const has = (key) => key in WORDS[language] || key in WORDS.en;
  const plain = (key, text) => (has(key) ? word(key) : String(text ?? "").replaceAll("_", " "));

  function make(tag, told, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(told || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name === "text") made.textContent = value;
      else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children.filter((one) => one !== null));
    return made;
  }

  /* Draw a part of the page again only where what it shows has changed: focus and open details stay. */
  function draw(id, value, build) {
    const now = language + JSON.stringify(value);
    if (shown.get(id) === now) return;
    shown.set(id, now);
    $(id).replaceChildren(...build(value));
  }

  class Refused extends Error {}
  class Ended extends Error {}
  class Lost extends Error {}

  async function ask(path, body) {
    const told = { headers: {}, cache: "no-store", credentials: "omit", redirect: "error" };
    if (session) told.headers.Authorization = `Bearer ${session}`;
    if (body !== undefined) {
      told.method = "POST";
      told.headers["Content-Type"] = "application/json";
      told.body = JSON.stringify(body);
    }
    let answer;
    try {
      answer = await fetch(path, told);
    } catch {
      throw new Lost(word("lost"));
    }
    const found = answer.headers.get("content-type") === "application/json" ? await answer.json() : await answer.blob();
    if (answer.status === 401) throw new Ended(found.error);
    if (!answer.ok) throw new Refused([found.error, found.fix && word("fix") + found.fix].filter(Boolean).join(" — "));
    return found;
  }

  function speak() {
    document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
    for (const one of document.querySelectorAll("[data-word]")) one.textContent = word(one.dataset.word);
    document.title = word("title");
    $("language").textContent = language === "zh" ? "English" : "中文";
    $("language").lang = language === "zh" ? "en" : "zh";
    if (last) show(last);
    if (checks) showChecks(checks);
  }

  function outside(said) {
    session = null;
    sessionStorage.removeItem(KEY);
    $("inside").hidden = $("leave").hidden = true;
    $("enter").hidden = false;
    $("enter-said").textContent = said || "";
    $("stand").textContent = "";
    $("token").focus();
  }

  async function enter(token) {
    try {
      session = (await ask("/api/enter", { token })).session;
    } catch (error) {
      outside(error.message);
      return;
    }
    sessionStorage.setItem(KEY, session);
    inside();
  }

  function inside() {
    $("enter").hidden = true;
    $("inside").hidden = $("leave").hidden = false;
    $("main").focus();
    round();
    doctor();
  }

  async function guarded(work, say) {
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof Ended) outside(error.message);
      else if (error instanceof Refused || error instanceof Lost) say(error.message);
      else throw error;
      return false;
    }
  }

  function stand(text, kind) {
    const line = $("stand");
    if (line.textContent !== text) line.textContent = text;
    line.className = kind;
  }

  let turning = false;
  async function round() {
    if (!session || turning || document.hidden) return;
    turning = true;
    try {
      await guarded(async () => show(await ask("/api/state")), (said) => stand(said, "bad"));
    } finally {
      turning = false;
    }
  }

  function show(found) {
    last = found;
    const status = found.status;
    const wrong = (found.parts || []).filter((one) => !one.well).length;
    if (!found.agent.answers) {
      stand([word("no_agent"), found.agent.why, found.agent.fix].filter(Boolean).join(": "), "bad");
    } else {
      stand(`${word("in_service")}, ${wrong ? `${wrong} ${word(wrong === 1 ? "fault" : "faults")}` : word("well")}`, wrong ? "bad" : "good");
    }
    draw("doors", status, (now) => (now ? Object.keys(now.access_points).map((point) => door(now, point)) : []));
    draw("facts", status && { ...status, time: status.time.slice(0, 16) }, (now) => (now ? facts(now) : []));
    draw("parts", found.parts || [], (parts) => parts.map(part));
    $("journal").hidden = !found.journal;
    $("journal").textContent = found.journal || "";
    draw("decisions", found.decisions || [], decisions);
  }

  function door(status, point) {
    const state = status.access_points[point];
    const mode = status.modes[point];
    const bad = ["forced", "held_open", "fault"].includes(state);
    const cause = status.causes[point];
    return make("div", { class: "card" },
      make("b", { text: point }),
      make("span", { class: bad ? "bad" : "good", text: plain(`s_${state}`, state) }),
      make("div", { class: mode === "normal" ? "quiet" : "doubt", text: plain(`m_${mode}`, mode) + (cause ? ` (${cause})` : "") }));
  }

  function facts(status) {
    const pad = Object.entries(status.pad.packs).map(([name, version]) => `${name} ${version}`).join(", ");
    const limit = status.threshold;
    const rows = [
      ["f_broker", plain(`b_${status.broker}`, status.broker) + (status.broker_why ? `: ${status.broker_why}` : "")],
      ["f_unpublished", String(status.unpublished)],
      ["f_holders", String(status.holders)],
      ["f_references", String(status.references)],
      ["f_threshold", `${limit.score}` + (limit.extrapolated ? ` (${word("extrapolated")})` : "")],
      ["f_pack", `${status.pack} ${status.pack_version}`],
      ["f_pad", pad || word(status.face_without_pad ? "photo" : "no_pad")],
      ["f_time", moment(status.time) + (status.clock_synced ? "" : ` (${word("not_sure")})`)],
      ["f_started", moment(status.started)],
      ["f_version", status.version],
    ];
    return rows.flatMap(([key, value]) => [make("dt", { text: word(key) }), make("dd", { text: value })]);
  }

  const moment = (text) => `${text.slice(0, 16).replace("T", " ")} UTC`;

  function part(one) {
    return make("li", {},
      make("span", { text: `${one.part}: ` }),
      make("span", { class: one.well ? "good" : "bad", text: one.well ? word("well") : one.said }),
      one.fix ? make("span", { class: "fix", text: word("fix") + one.fix }) : null);
  }

  function decisions(rows) {
    if (!rows.length) return [make("li", { class: "quiet", text: word("none") })];
    const open = new Set([...$("decisions").querySelectorAll("details[open]")].map((one) => one.dataset.row));
    return rows.map((one) => {
      const { score, threshold } = one.trace;
      const said = one.granted ? word("granted") : `${word("denied")}: ${plain(`r_${one.reason}`, one.why)}`;
      const number = typeof score === "number" ? ` ${score.toFixed(3)}` + (typeof threshold === "number" ? `/${threshold.toFixed(3)}` : "") : "";
      return make("li", {}, make("details", { "data-row": one.row, open: open.has(String(one.row)) },
        make("summary", {},
          make("span", { text: `${one.time}${one.sure ? "" : ` (${word("unsure")})`} ${one.access_point ?? ""} ` }),
          make("b", { class: one.granted ? "good" : "bad", text: said }),
          make("span", { class: "score", text: `${number}${one.who ? ` ${one.who}` : ""}${one.walk_test ? ` (${word("walk")})` : ""}` })),
        make("dl", {}, ...Object.entries(one.trace).flatMap(([name, value]) => [
          make("dt", { text: name.replaceAll("_", " ") }), make("dd", { text: flat(value) })]))));
    });
  }

  function flat(value) {
    if (value === null || value === undefined) return "–";
    if (Array.isArray(value)) return value.map(flat).join(", ") || "–";
    if (typeof value === "object") return Object.entries(value).map(([name, one]) => `${name} ${flat(one)}`).join(", ") || "–";
    return typeof value === "number" && !Number.isInteger(value) ? String(Number(value.toPrecision(4))) : String(value);
  }

  let checks = null;
  async function doctor(begin) {
    await guarded(async () => {
      checks = begin ? await ask("/api/doctor", {}) : await ask("/api/doctor");
      showChecks(checks);
      if (checks.examines) setTimeout(doctor, EVERY_MS);
    }, (said) => { $("examined").textContent = said; });
  }

  function showChecks(found) {
    const button = $("examine");
    const held = document.activeElement === button;
    button.disabled = found.examines;
    if (held && !found.examines) button.focus();
    const counts = ["fail", "warn", "pass"].map((one) => [one, found.checks.filter((check) => check.status === one).length]);
    $("examined").textContent = found.examines ? word("examines")
      : found.error || (found.checks.length ? counts.filter(([, count]) => count).map(([one, count]) => `${count} ${word(one)}`).join(", ") : "");
    const table = $("checks");
    table.hidden = !found.checks.length;
    const kinds = { pass: "good", warn: "doubt", fail: "bad" };
    table.tBodies[0].replaceChildren(...found.checks.map((one) => make("tr", {},
      make("td", { text: one.name }),
      make("td", {}, make("b", { class: kinds[one.status], text: word(one.status) })),
      make("td", {}, make("span", { text: one.detail }),
        make("span", { class: "fix quiet", text: one.meaning }),
        one.fix ? make("span", { class: "fix", text: word("fix") + one.fix }) : null))));
  }

  $("enter").addEventListener("submit", (event) => { event.preventDefault(); enter($("token").value.trim()); });
  $("leave").addEventListener("click", async () => { await guarded(() => ask("/api/leave", {}), () => {}); outside(""); });
  $("language").addEventListener("click", () => {
    language = language === "zh" ? "en" : "zh";
    sessionStorage.setItem("language", language);
    speak();
  });
  $("examine").addEventListener("click", () => doctor(true));
  document.addEventListener("visibilitychange", round);

  speak();
  const token = location.hash.slice(1);
  /* The word is good once: it stays neither in the address nor in the history. */
  if (token) history.replaceState(null, "", "/");
  if (token) enter(token);
  else if (session) inside();
  else outside("");
  setInterval(round, EVERY_MS);
})();
