// How arms and words look: colours come from the stylesheet, so that light, dark and print are decided in one place.

/** Paths in a square of 10; the chart's name for it where it has one, which it draws faster. */
const SHAPES = [
  {path: 'M5 0A5 5 0 1 1 5 10A5 5 0 1 1 5 0Z', name: 'circle'},
  {path: 'M5 0L10 5L5 10L0 5Z', name: 'diamond'},
  {path: 'M5 0L10 10L0 10Z', name: 'triangle'},
  {path: 'M0 0H10V10H0Z', name: 'rect'},
  {path: 'M0 0H10L5 10Z'},
  {path: 'M3 0H7V3H10V7H7V10H3V7H0V3H3Z'},
  {path: 'M5 0L6.5 3.6L10 3.8L7.3 6.2L8.1 10L5 7.9L1.9 10L2.7 6.2L0 3.8L3.5 3.6Z'},
  {path: 'M0 0H10L7 5L10 10H0L3 5Z'},
];
const DASHES = ['solid', [7, 4], [2, 3], [10, 3, 2, 3], [12, 5], [4, 4], [1, 4], [8, 3, 2, 3, 2, 3]];

const probe = document.createElement('span');
probe.hidden = true;
document.body.append(probe);

/** A colour of the stylesheet under the present theme. */
const color = (name) => {
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
};
/** The page's own letters, which a canvas does not inherit. */
const letters = getComputedStyle(document.body).fontFamily;
const armColor = (arm) => color(`arm-${arm % 8}`);
const shapePath = (place) => SHAPES[place % 8].path;
const shape = (place) => SHAPES[place % 8].name ?? `path://${shapePath(place)}`;
const armDash = (arm) => DASHES[arm % 8];
/** The best three trials of an arm, which are of one arm and so have colours of their own. */
const curveColor = (place) => color(`curve-${place}`);

const element = (tag, content = '', attributes = {}) => {
  const made = document.createElement(tag);
  if (typeof content === 'string') made.textContent = content;
  else made.append(...content);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
};

/** What stands beside the pointer: a title and pairs of words, which are text and never markup. */
const tooltip = (title, pairs) => {
  const list = pairs.filter(([, value]) => value !== '').flatMap(([name, value]) => [element('dt', name), element('dd', value)]);
  const box = element('div', [element('strong', title), element('dl', list)]);
  box.className = 'tooltip';
  return box;
};

const themeButton = document.getElementById('theme');
const themes = ['system', 'light', 'dark'];

/** Let the button go through the themes, and call `redraw` whenever the colours change. */
const followTheme = (redraw) => {
  themeButton.hidden = false;
  let theme = 0;
  themeButton.addEventListener('click', () => {
    theme = (theme + 1) % themes.length;
    const name = themes[theme];
    if (theme) document.documentElement.dataset.theme = name;
    else delete document.documentElement.dataset.theme;
    themeButton.textContent = theme ? `Theme: ${name}` : 'Theme: as the system';
    redraw();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
};
