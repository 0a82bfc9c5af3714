// Makes one piece of a page say what another says, changing no node that says it already.
const THEIRS = new Set(["open", "value", "hidden"]); // what whoever looks has done: unfolded, typed, shown
const MARK = "changed";

export function put(into, from) {
  attributes(into, from);
  children(into, from);
}

function attributes(into, from) {
  for (const { name, value } of from.attributes) {
    if (!THEIRS.has(name) && into.getAttribute(name) !== value) into.setAttribute(name, value);
  }
  for (const { name } of [...into.attributes]) {
    if (!THEIRS.has(name) && !from.hasAttribute(name)) into.removeAttribute(name);
  }
}

function children(into, from) {
  let place = into.firstChild;
  for (const wanted of [...from.childNodes]) {
    const found = counterpart(place, wanted);
    if (!found) {
      const added = document.importNode(wanted, true);
      into.insertBefore(added, place);
      if (added.nodeType === Node.ELEMENT_NODE) mark(added);
      continue;
    }
    while (place !== found) place = drop(place);
    if (found.nodeType === Node.ELEMENT_NODE) {
      if (!found.hasAttribute("data-keep")) put(found, wanted);
    } else if (found.data !== wanted.data) {
      found.data = wanted.data;
      mark(into);
    }
    place = found.nextSibling;
  }
  while (place) place = drop(place);
}

// The node from `place` on that stands for the wanted one: of the same kind and, where there are any, of the same id.
function counterpart(place, wanted) {
  for (let node = place; node; node = node.nextSibling) {
    if (node.nodeName !== wanted.nodeName) {
      if (node.id) return null;
      continue;
    }
    if ((node.id ?? "") === (wanted.id ?? "")) return node;
  }
  return null;
}

function drop(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

function mark(element) {
  element.classList.remove(MARK);
  void element.getBoundingClientRect();
  element.classList.add(MARK);
}
