// What pages do besides, where scripts run. Every page is whole without it.
document.documentElement.classList.add("scripted");
