// What pages do besides, where scripts run: every page is whole without it. A page about a team keeps itself up to date,
// and one that takes a moment to come says so.
import { follow } from "./live.js";

const AFTER = 400; // milliseconds in which a page is as good as there
const AT_MOST = 15_000; // what does not come as a page is a file

const button = document.querySelector("[data-live]");
if (button) follow(button);

const loading = document.getElementById("loading");
let timer = null;

function settle() {
  clearTimeout(timer);
  loading.hidden = true;
}

addEventListener("beforeunload", () => {
  settle();
  timer = setTimeout(() => {
    loading.hidden = false;
    timer = setTimeout(settle, AT_MOST);
  }, AFTER);
});
addEventListener("pageshow", settle);
