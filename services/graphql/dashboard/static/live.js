// Keeps an open page up to date: an event stream tells that its team's figures may have changed, and the page is asked
// for anew and put in place of what is shown, node by node, so that the focus, what is unfolded and the place stay.
import { put } from "./put.js";

const PAUSED = "exemplar-paused";
const SOON = 5_000; // milliseconds until a stream that broke off is asked for anew; each time twice as long
const LATE = 120_000;
const APART = 1_000; // milliseconds, at least, from a page that was put in place to the next one

export function follow(button) {
  const said = document.getElementById("live-said");
  let position = button.dataset.position;
  let stream = null;
  let timer = null;
  let pause = SOON;
  let asking = null;
  let asked = false;
  let replaced = 0; // when the page was put in place last, in milliseconds
  let stale = false; // whether something may have changed that nobody told of

  const paused = () => sessionStorage.getItem(PAUSED) === "yes";

  function stop() {
    clearTimeout(timer);
    stream?.close();
    stream = null;
  }

  function start() {
    stop();
    if (button.hidden || paused() || document.hidden) return;
    const question = { documentId: button.dataset.document, variables: JSON.stringify({ team: button.dataset.live }) };
    stream = new EventSource(`/graphql?${new URLSearchParams(question)}`);
    stream.addEventListener("next", told);
    stream.addEventListener("complete", brokenOff);
    stream.addEventListener("error", brokenOff);
  }

  function told(event) {
    const answer = JSON.parse(event.data);
    if (!answer.data) return brokenOff();
    pause = SOON;
    if (stale || answer.extensions.position !== position) refresh();
  }

  function brokenOff() {
    stop();
    if (button.hidden) return;
    stale = true;
    said.textContent = "Not live: the connection broke off, and is tried again";
    timer = setTimeout(async () => {
      await refresh(); // whatever has changed meanwhile, and whether whoever looks is still signed in
      if (!stale) start();
    }, pause);
    pause = Math.min(2 * pause, LATE);
  }

  // Asks for the page, and once more if it is told of a change meanwhile.
  function refresh() {
    asked = true;
    asking ??= (async () => {
      while (asked && !button.hidden && !paused() && !document.hidden) {
        await new Promise((resolve) => setTimeout(resolve, replaced + APART - Date.now()));
        asked = false;
        await replace().catch(brokenOff);
      }
      asking = null;
    })();
    return asking;
  }

  async function replace() {
    const response = await fetch(location.href, { headers: { accept: "text/html" } });
    if (response.redirected) {
      button.hidden = true;
      said.textContent = "You are signed out: open the page again to sign in.";
      return stop();
    }
    if (!response.ok) throw new Error(`the page answers ${response.status}`);
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    if (paused()) return;
    position = fresh.querySelector("[data-live]").dataset.position;
    put(document.querySelector("main"), fresh.querySelector("main"));
    replaced = Date.now();
    stale = false;
    said.textContent = `Updated at ${new Date().toISOString().slice(11, 19)} UTC`;
  }

  function show() {
    button.textContent = paused() ? "Resume live updates" : "Pause live updates";
  }

  button.addEventListener("click", () => {
    sessionStorage.setItem(PAUSED, paused() ? "no" : "yes");
    said.textContent = "";
    show();
    start();
  });
  document.addEventListener("visibilitychange", start);
  addEventListener("pagehide", stop);
  addEventListener("pageshow", (event) => event.persisted && start());
  button.hidden = false;
  show();
  start();
}
