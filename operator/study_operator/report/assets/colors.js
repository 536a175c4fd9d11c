// How arms and words look: colours come from the stylesheet, so that light, dark and print are decided in one place.

const SHAPES = ['circle', 'diamond', 'triangle', 'rect', 'pin', 'roundRect', 'arrow', 'emptyCircle'];
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
const armShape = (arm) => SHAPES[arm % 8];
const armDash = (arm) => DASHES[arm % 8];

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
