// Small helpers over the DOM. Text only ever enters as text nodes: nothing here parses HTML.

/// Makes an element. Properties: class, text, on: {event: handler}, data: {..}; others are attributes
/// (true: empty, false and null: absent). Children: nodes, strings, arrays of them, null.
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'class') element.className = value;
    else if (name === 'text') element.textContent = value;
    else if (name === 'on') {
      for (const [event, handler] of Object.entries(value)) element.addEventListener(event, handler);
    } else if (name === 'data') Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(element, child);
    else element.append(child);
  }
}

/// Replaces what an element holds.
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

const kIcons = {
  send: 'M4 12h15M13 6l6 6-6 6',
  stop: 'M7 7h10v10H7z',
  close: 'M6 6l12 12M18 6L6 18',
  copy: 'M9 9h10v10H9zM5 15V5h10',
  left: 'M15 6l-6 6 6 6',
  right: 'M9 6l6 6-6 6',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  sun: 'M12 8a4 4 0 100 8 4 4 0 000-8zM12 2v2M12 20v2M4.900 4.900l1.400 1.400M17.700 17.700l1.400 1.400M2 12h2M20 12h2M4.900 19.100l1.400-1.400M17.700 6.300l1.400-1.400',
  moon: 'M20 14.500A8.500 8.500 0 019.500 4 8.500 8.500 0 1020 14.500z',
  auto: 'M12 3a9 9 0 100 18 9 9 0 000-18zM12 3v18',
  book: 'M3 6c3.500-1 6.500-.6 9 1.200 2.500-1.800 5.500-2.200 9-1.200v12c-3.500-1-6.500-.6-9 1.200-2.500-1.800-5.500-2.200-9-1.200zM12 7.200v12',
  search: 'M11 4a7 7 0 100 14 7 7 0 000-14zM16.500 16.500L21 21',
  trash: 'M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13',
  refresh: 'M20 11A8 8 0 006 6.500L4 8.500M4 4v4.500h4.500M4 13a8 8 0 0014 4.500l2-2M20 20v-4.500h-4.500',
  download: 'M12 4v11M7 11l5 5 5-5M5 20h14',
  wide: 'M4 12h16M8 8l-4 4 4 4M16 8l4 4-4 4',
  check: 'M5 12.500l4.500 4.500L19 7.500',
};

/// A line icon, hidden from screen readers: the control it stands in has the name.
export function icon(name) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(space, 'path');
  path.setAttribute('d', kIcons[name]);
  svg.append(path);
  return svg;
}

/// A button with an icon and a name that is read out and shown as a tip.
export function iconButton(name, label, onClick, props = {}) {
  return h('button', {type: 'button', class: 'icon-button', 'aria-label': label, title: label,
                      ...props, on: {click: onClick}}, icon(name));
}

/// Says something to screen readers without moving the focus.
export function announce(text) {
  document.getElementById('announcer').textContent = text;
}

/// A short message at the edge of the page; kind: "done" or "error".
export function toast(text, kind = 'done') {
  const node = h('div', {class: `toast ${kind}`, role: kind === 'error' ? 'alert' : 'status', text});
  document.getElementById('toasts').append(node);
  setTimeout(() => node.remove(), kind === 'error' ? 9000 : 3500);
}

/// Runs `work` every `ms` while the returned function has not been called and the page is looked at.
export function every(ms, work) {
  let stopped = false;
  let timer = 0;
  const turn = async () => {
    if (stopped) return;
    if (!document.hidden) await work();
    if (!stopped) timer = setTimeout(turn, ms);
  };
  turn();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/// Asks yes or no in a dialog; resolves to true when the named action is chosen.
export function confirmAction({title, text, action, cancel}) {
  return new Promise((resolve) => {
    const dialog = h('dialog', {class: 'dialog', 'aria-labelledby': 'confirm-title'},
      h('h2', {id: 'confirm-title', text: title}), h('p', {text}),
      h('div', {class: 'row end'},
        h('button', {type: 'button', class: 'button', text: cancel, autofocus: true,
                     on: {click: () => dialog.close('')}}),
        h('button', {type: 'button', class: 'button danger', text: action,
                     on: {click: () => dialog.close('yes')}})));
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
