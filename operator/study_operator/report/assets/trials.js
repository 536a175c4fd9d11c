// The table of trials: all of them are sorted and filtered, and a page of them is in the document.

const PAGE = 50;
const byId = (id) => document.getElementById(id);
const states = [...new Set(columns.state.map((state, row) => (columns.infeasible[row] ? 'Infeasible' : state)))].sort();
const stateOf = (row) => (columns.infeasible[row] ? 'Infeasible' : columns.state[row]);

const tableColumns = [
  {title: 'Rank', numeric: true, of: (row) => columns.rank[row]},
  {title: 'Trial', key: (row) => columns.index[row], of: (row) => trialName(columns.index[row])},
  {title: 'State', of: stateOf},
  {title: metric, numeric: true, of: (row) => columns.objective[row]},
  {title: 'Step', numeric: true, of: (row) => columns.step[row]},
  ...data.hyperparameters.map(({name, scale}) => ({title: name, numeric: scale !== 'Choice', of: (row) => columns.parameters[name][row]})),
  ...(columns.said.some(Boolean) ? [{title: 'Reason', said: true, of: (row) => columns.said[row]}] : []),
];

const compared = (one, other) => (typeof one === 'number' && typeof other === 'number' ? one - other : String(one).localeCompare(String(other), 'en', {numeric: true}));

/** The table and its filters; `filtered` is called with the rows that are left. */
const trialTable = () => {
  const table = byId('trial-table'), body = table.tBodies[0];
  const sorting = {column: 0, ascending: true};
  let page = 0, rows = [];

  const key = ({key: own, of}, row) => (own ? own(row) : of(row));
  const order = (one, other) => {
    const column = tableColumns[sorting.column], [first, second] = [key(column, one), key(column, other)];
    const missing = Number(nothing(first) || first === '') - Number(nothing(second) || second === '');
    return missing || (sorting.ascending ? 1 : -1) * compared(first ?? '', second ?? '') || columns.index[one] - columns.index[other];
  };
  const cell = (column, row) => {
    const value = column.of(row);
    const made = element(column.title === 'Trial' ? 'th' : 'td', short(value));
    if (column.title === 'Trial') made.scope = 'row';
    if (column.numeric) made.className = 'n';
    if (column.said) made.className = 'said';
    else if (typeof value === 'string') made.title = value;
    return made;
  };
  const show = () => {
    const pages = Math.max(1, Math.ceil(rows.length / PAGE));
    page = Math.min(page, pages - 1);
    body.replaceChildren(...rows.slice(page * PAGE, (page + 1) * PAGE).map((row) => element('tr', tableColumns.map((column) => cell(column, row)))));
    const [first, last] = [page * PAGE + 1, Math.min((page + 1) * PAGE, rows.length)];
    byId('count').textContent = `${rows.length} of ${rowCount} trials${pages > 1 ? `, ${first} to ${last} below` : ''}`;
    byId('page-number').textContent = `page ${page + 1} of ${pages}`;
    byId('pages').hidden = pages === 1;
    byId('previous').disabled = page === 0;
    byId('following').disabled = page === pages - 1;
  };
  const update = () => {
    const words = byId('search').value.trim().toLowerCase(), state = byId('state').value, arm = byId('arm').value;
    rows = columns.index.map((_, row) => row).filter((row) => passes(row)
      && (!state || stateOf(row) === state) && (!arm || columns.arm[row] === Number(arm))
      && (!words || tableColumns.some((column) => short(column.of(row)).toLowerCase().includes(words)))).sort(order);
    show();
  };
  const headings = tableColumns.map((column, place) => {
    const button = element('button', column.title, {type: 'button'});
    const heading = element('th', [button], {scope: 'col'});
    if (column.numeric) heading.className = 'n';
    button.addEventListener('click', () => {
      sorting.ascending = sorting.column === place ? !sorting.ascending : true;
      sorting.column = place;
      headings.forEach((other, position) => {
        if (position === place) other.setAttribute('aria-sort', sorting.ascending ? 'ascending' : 'descending');
        else other.removeAttribute('aria-sort');
      });
      update();
    });
    return heading;
  });
  headings[0].setAttribute('aria-sort', 'ascending');
  table.tHead.replaceChildren(element('tr', headings));
  byId('state').append(...states.map((state) => element('option', state)));
  byId('arm').append(...data.arms.map((label, arm) => element('option', label, {value: String(arm)})));
  byId('arm-label').hidden = !several;
  byId('filters').hidden = false;
  const turn = (by) => () => { page += by; show(); };
  byId('previous').addEventListener('click', turn(-1));
  byId('following').addEventListener('click', turn(1));
  for (const id of ['search', 'state', 'arm']) byId(id).addEventListener('input', () => { page = 0; update(); });
  update();
  return {update: () => { page = 0; update(); }};
};

/** Fields for the ends of what is brushed; `changed` is called with the axis whose filter was typed. */
const rangeFields = (changed) => {
  const fields = dimensions.map(({layout}, position) => {
    if (layout?.scale === 'Choice') return null;
    const name = layout ? layout.name : metric;
    const ends = ['from', 'to'].map((end) => element('input', '', {type: 'number', step: 'any', 'aria-label': `${name} ${end}`, placeholder: end}));
    const typed = () => {
      const [low, high] = ends.map(({value}) => (value === '' ? null : Number(value)));
      if (low === null && high === null) filters.delete(position);
      else filters.set(position, [low ?? -Infinity, high ?? Infinity]);
      changed(position);
    };
    ends.forEach((end) => end.addEventListener('change', typed));
    byId('ranges').lastElementChild.append(element('fieldset', [element('legend', name), ...ends]));
    return ends;
  });
  return () => fields.forEach((ends, position) => ends?.forEach((end, side) => {
    const bound = filters.get(position)?.[side];
    end.value = Number.isFinite(bound) ? Number(bound.toPrecision(4)) : '';
  }));
};
