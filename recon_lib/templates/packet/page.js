'use strict';
(function () {
  // Tables can be sorted and filtered; without this script they are plain tables.
  function value(row, i) {
    var cell = row.cells[i];
    if (!cell) return null;
    if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
    var text = cell.textContent.trim();
    return text === '' ? null : text;
  }
  function sorter(table, head, i) {
    var button = document.createElement('button');
    button.type = 'button';
    button.textContent = head.textContent;
    head.textContent = '';
    head.append(button);
    button.addEventListener('click', function () {
      var down = head.getAttribute('aria-sort') === 'ascending';
      table.querySelectorAll('thead th').forEach(function (other) { other.removeAttribute('aria-sort'); });
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      var body = table.tBodies[0];
      Array.from(body.rows).map(function (row, at) { return {row: row, at: at, v: value(row, i)}; }).sort(function (a, b) {
        if (a.v === null || b.v === null) return a.v === b.v ? a.at - b.at : a.v === null ? 1 : -1;
        var order = typeof a.v === 'number' && typeof b.v === 'number' ? a.v - b.v : String(a.v) < String(b.v) ? -1 : String(a.v) > String(b.v) ? 1 : 0;
        return (down ? -order : order) || a.at - b.at;
      }).forEach(function (entry) { body.append(entry.row); });
    });
  }
  function words(text) { return text.toLowerCase().split(/\s+/).filter(Boolean); }
  function show(table, wanted, also) {
    var shown = 0;
    Array.from(table.tBodies[0].rows).forEach(function (row) {
      var text = (row.textContent + ' ' + (also || '')).toLowerCase();
      row.hidden = !wanted.every(function (word) { return text.includes(word); });
      if (!row.hidden) shown += 1;
    });
    return shown;
  }
  function tools(label, act) {
    var box = document.createElement('div'), name = document.createElement('label'), field = document.createElement('input'), said = document.createElement('span');
    box.className = 'tools';
    name.append(label + ' ', field);
    field.type = 'search';
    said.setAttribute('role', 'status');
    box.append(name, said);
    field.addEventListener('input', function () { said.textContent = act(words(field.value)); });
    return box;
  }
  document.querySelectorAll('table.data').forEach(function (table) {
    Array.from(table.tHead.rows[0].cells).forEach(function (head, i) { if (!head.classList.contains('evidence')) sorter(table, head, i); });
    if (table.closest('#findings') || table.tBodies[0].rows.length < 8) return;
    table.closest('.scroll').before(tools('Filter', function (wanted) {
      var shown = show(table, wanted);
      return wanted.length ? shown + ' of ' + table.tBodies[0].rows.length + ' rows' : '';
    }));
  });
  var findings = document.getElementById('findings');
  if (findings && findings.tagName === 'DIV') {
    findings.before(tools('Find in all findings', function (wanted) {
      var shown = 0, all = 0;
      findings.querySelectorAll('details.audit').forEach(function (audit) {
        var table = audit.querySelector('table'), here = show(table, wanted, audit.querySelector('summary b').textContent + ' ' + table.caption.textContent);
        shown += here;
        all += table.tBodies[0].rows.length;
        audit.open = wanted.length > 0 && here > 0;
        audit.hidden = here === 0;
      });
      return wanted.length ? shown + ' of ' + all + ' findings' : '';
    }));
  }

  // Charts: plotly.js lies compressed in this page; it is unpacked here, nothing is fetched.
  var config = {responsive: true, displaylogo: false, showSendToCloud: false, plotlyServerURL: ''};
  var charts = Array.from(document.querySelectorAll('.fig'));
  function colours() {
    var style = getComputedStyle(document.documentElement), ink = style.getPropertyValue('--ink').trim(), line = style.getPropertyValue('--line').trim();
    return {'font.color': ink, 'xaxis.gridcolor': line, 'yaxis.gridcolor': line, 'xaxis.linecolor': line, 'yaxis.linecolor': line,
      'yaxis.zerolinecolor': line, 'hoverlabel.bgcolor': style.getPropertyValue('--card').trim(), 'hoverlabel.font.color': ink};
  }
  // Plotly cuts a title that is wider than the chart, and turns the names of many weeks upright: on a phone the one gets lines, the others get fewer.
  function fit(place, asked) {
    var room = Math.max(12, Math.floor((place.clientWidth - 12) / 9)), lines = [''];
    asked.split(' ').forEach(function (word) {
      var last = lines.length - 1;
      if (lines[last] && lines[last].length + 1 + word.length > room) lines.push(word);
      else lines[last] += (lines[last] && ' ') + word;
    });
    var told = lines.join('<br>'), step = place.layout.xaxis.dtick, more = {'title.text': told, 'margin.t': 28 + 20 * lines.length};
    if (step && place.layout.xaxis.type === 'category') more['xaxis.dtick'] = Math.ceil(place.data[0].x.length / Math.max(2, Math.min(8, place.clientWidth / 90 | 0)));
    if (told !== place.layout.title.text || step !== (more['xaxis.dtick'] || step)) window.Plotly.relayout(place, more);
  }
  function draw() {
    charts.forEach(function (place) {
      var figure = JSON.parse(document.getElementById(place.id + '-json').textContent), asked = figure.layout.title.text;
      place.textContent = '';
      window.Plotly.newPlot(place, figure.data, figure.layout, config).then(function () { return window.Plotly.relayout(place, colours()); })
        .then(function () { fit(place, asked); window.addEventListener('resize', function () { fit(place, asked); }); });
    });
    function repaint(more) { charts.forEach(function (place) { window.Plotly.relayout(place, Object.assign(colours(), more)); }); }
    window.addEventListener('beforeprint', function () { repaint({width: 680, 'font.color': '#000000'}); });
    window.addEventListener('afterprint', function () { repaint({width: null, autosize: true}); });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', function () { repaint({}); });
    document.documentElement.dataset.charts = 'drawn';
  }
  function failed() {
    charts.forEach(function (place) { place.querySelector('.wait').textContent = 'This browser cannot draw the chart; its numbers are in the table below.'; });
    document.documentElement.dataset.charts = 'failed';
  }
  var packed = document.getElementById('plotly');
  if (packed && charts.length) {
    try {
      var bytes = Uint8Array.from(atob(packed.textContent), function (c) { return c.charCodeAt(0); });
      new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text().then(function (code) {
        var script = document.createElement('script');
        script.textContent = code;
        document.head.append(script);
        draw();
      }).catch(failed);
    } catch (problem) { failed(); }
  }
  // Paper shows what is closed on the screen.
  var opened = [];
  window.addEventListener('beforeprint', function () {
    opened = Array.from(document.querySelectorAll('details.audit:not([open])'));
    opened.forEach(function (part) { part.open = true; });
  });
  window.addEventListener('afterprint', function () { opened.forEach(function (part) { part.open = false; }); });
}());
