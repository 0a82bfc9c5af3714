// Checks the proof of an entry of the audit log, in the browser and from what the page shows: nothing else is asked for.
const KEPT = "exemplar-verifier-key";
const DASH = "\u2014 ";
const HOLDS = "holds";
const FAILS = "fails";
const OPEN = "open";

const outcome = document.getElementById("outcome");
const form = document.getElementById("key-form");
const shown = (id) => document.getElementById(id)?.textContent ?? "";

const bytesOf = (text) => new TextEncoder().encode(text);
const decoded = (base64) => Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
const encoded = (bytes) => btoa(String.fromCharCode(...bytes));
const hex = (bytes) => [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("");
const same = (one, other) => hex(one) === hex(other);

async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(await new Blob(parts).arrayBuffer())));
}

const node = (left, right) => sha256(Uint8Array.of(1), left, right);

// ---- the steps: each gives what it found, and in words what that is ----

async function content() {
  const element = document.getElementById("content");
  if (!element) return [OPEN, "What it is about is not on this page."];
  const bytes = element.dataset.form === "base64" ? decoded(element.textContent) : bytesOf(element.textContent);
  const found = hex(await sha256(bytes));
  const { sha256: promised } = JSON.parse(shown("entry"));
  return found === promised
    ? [HOLDS, `It holds: ${found}.`]
    : [FAILS, `It fails: the SHA-256 is ${found}, the entry has ${promised}. What is shown is not what was recorded.`];
}

async function leaf(hash) {
  const promised = shown("leaf").trim();
  return encoded(hash) === promised
    ? [HOLDS, `It holds: ${promised}.`]
    : [FAILS, `It fails: the entry gives ${encoded(hash)}, the server says ${promised}.`];
}

async function root(hash, index, tree) {
  const hashes = shown("hashes").split("\n").filter((line) => !line.startsWith("(")).map(decoded);
  const found = await rootOf(hash, index, tree.size, hashes);
  if (!found) return [FAILS, `It fails: the proof has not the form that a tree of ${tree.size} entries gives it.`];
  return encoded(found) === tree.root
    ? [HOLDS, `It holds: they lead to ${tree.root}.`]
    : [FAILS, `It fails: they lead to ${encoded(found)}, the checkpoint has ${tree.root}. The entry was changed, or is in another tree.`];
}

// RFC 9162, 2.1.3.2.
async function rootOf(hash, index, size, hashes) {
  let [place, last, found] = [BigInt(index), BigInt(size) - 1n, hash];
  if (place > last) return null;
  for (const neighbour of hashes) {
    if (last === 0n || neighbour.length !== 32) return null;
    if (place & 1n || place === last) {
      found = await node(neighbour, found);
      while (!(place & 1n) && place) [place, last] = [place >> 1n, last >> 1n];
    } else {
      found = await node(found, neighbour);
    }
    [place, last] = [place >> 1n, last >> 1n];
  }
  return last === 0n ? found : null;
}

async function signature(key, tree) {
  if (!key) return [OPEN, "Not checked: give the verifier key."];
  const verifier = await verifierOf(key);
  if (!verifier) return [OPEN, "Not checked: that is no verifier key, which is NAME+ID+KEY with an Ed25519 key."];
  if (verifier.name !== tree.origin) {
    return [FAILS, `It fails: the tree says that it is ${tree.origin}, the key is that of ${verifier.name}.`];
  }
  const line = tree.signatures.find((one) => one.name === verifier.name && same(one.bytes.slice(0, 4), verifier.id));
  if (!line) return [FAILS, "It fails: this key has not signed the checkpoint."];
  let imported;
  try {
    imported = await crypto.subtle.importKey("raw", verifier.public, "Ed25519", false, ["verify"]);
  } catch {
    return [OPEN, "Not checked: this browser does not know Ed25519 signatures."];
  }
  return (await crypto.subtle.verify("Ed25519", imported, line.bytes.slice(4), bytesOf(tree.text)))
    ? [HOLDS, `It holds: ${tree.size} entries, signed by ${verifier.name} (${hex(verifier.id)}).`]
    : [FAILS, "It fails: the signature is not good. The checkpoint was changed."];
}

async function verifierOf(text) {
  const [name, id, key] = text.trim().split("+");
  const rest = text.trim().slice(`${name}+${id}+`.length); // base64 has plus signs of its own
  try {
    const bytes = decoded(key === undefined ? "" : rest);
    if (bytes.length !== 33 || bytes[0] !== 1) return null;
    const made = (await sha256(bytesOf(`${name}\n`), bytes)).slice(0, 4);
    return hex(made) === id ? { name, id: made, public: bytes.slice(1) } : null;
  } catch {
    return null;
  }
}

function treeOf(note) {
  const end = note.lastIndexOf("\n\n");
  const text = note.slice(0, end + 1);
  const [origin, size, root] = text.split("\n");
  const signatures = note
    .slice(end + 2)
    .split("\n")
    .filter((line) => line.startsWith(DASH))
    .map((line) => line.slice(DASH.length).split(" "))
    .map(([name, base64]) => ({ name, bytes: decoded(base64) }));
  return { text, origin, size: Number(size), root, signatures };
}

// ---- the page ----

function tell(id, [result, words]) {
  const step = document.getElementById(`step-${id}`);
  const line = step.querySelector(".result") ?? step.appendChild(document.createElement("p"));
  line.className = "result";
  line.dataset.outcome = result;
  line.textContent = { [HOLDS]: "✓ ", [FAILS]: "✗ ", [OPEN]: "○ " }[result] + words;
  return result;
}

function conclude(results) {
  const whole = results.includes(FAILS) ? FAILS : results.includes(OPEN) ? OPEN : HOLDS;
  outcome.dataset.outcome = whole;
  outcome.textContent = {
    [HOLDS]: "Proven: this entry is in the tree that the key has signed, and what it is about is unchanged.",
    [FAILS]: "Not as it was: a step below fails. Keep this page, and tell whoever audits the log.",
    [OPEN]: "So far it holds, and not everything was checked: see the steps below.",
  }[whole];
}

async function check() {
  const tree = treeOf(shown("checkpoint"));
  const hash = await sha256(Uint8Array.of(0), bytesOf(shown("entry")));
  const index = document.getElementById("proof").dataset.index;
  const steps = { content, leaf: () => leaf(hash), root: () => root(hash, index, tree), signature: () => signature(form.key.value, tree) };
  const results = [];
  for (const [id, step] of Object.entries(steps)) {
    results.push(tell(id, await step().catch((error) => [FAILS, `It fails: it cannot be read (${error.message}).`])));
  }
  conclude(results);
}

if (globalThis.crypto?.subtle) {
  form.hidden = false;
  form.key.value = localStorage.getItem(KEPT) ?? "";
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    localStorage.setItem(KEPT, form.key.value.trim());
    check();
  });
  check();
} else {
  outcome.textContent = "Not checked here: browsers do that on https alone. All that is needed to check it elsewhere is below.";
}
