// What pages do besides, where scripts run: every page is whole without it. A page about a team keeps itself up to date.
import { follow } from "./live.js";

const button = document.querySelector("[data-live]");
if (button) follow(button);
