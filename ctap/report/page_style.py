"""The look of results.html: light and dark, wide and narrow."""

STYLE = """
:root { color-scheme: light dark; --ink: #1d2330; --soft: #5c6575; --paper: #fbfbfd; --card: #ffffff;
  --line: #dde1e8; --mark: #2f5fb3; --head: #f1f4f9; --good: #eaf1fc; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #9aa4b5; --paper: #12151b;
  --card: #1a1f28; --line: #2d3542; --mark: #8db4f5; --head: #222936; --good: #1d2a40; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.5;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK SC",
  "PingFang SC", "Microsoft YaHei", sans-serif; }
header, main, footer { max-width: 1080px; margin: 0 auto; padding: 0 16px; }
header { padding-top: 28px; }
h1 { font-size: 1.7rem; margin: 0 0 4px; }
h2 { font-size: 1.3rem; margin: 44px 0 8px; scroll-margin-top: 56px; }
h3 { font-size: 1.05rem; margin: 0 0 10px; overflow-wrap: anywhere; } h4 { margin: 22px 0 8px; }
p.note, .meta, figcaption, footer { color: var(--soft); font-size: .88rem; }
nav { position: sticky; top: 0; z-index: 2; background: var(--paper);
  border-bottom: 1px solid var(--line); }
nav div { max-width: 1080px; margin: 0 auto; padding: 8px 16px; display: flex; gap: 6px 18px;
  overflow-x: auto; }
nav a { white-space: nowrap; } a { color: var(--mark); text-decoration: none; }
  a:hover { text-decoration: underline; }
section.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px;
  margin: 14px 0; }
.scroll { overflow-x: auto; margin: 0 0 8px; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; min-width: 100%; }
th, td { padding: 6px 12px; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { background: var(--head); font-weight: 600; white-space: nowrap; }
td.number { text-align: right; white-space: nowrap; } th.number { text-align: right; }
td.value { font-weight: 600; } tbody th { font-weight: 500; }
.pictures { display: grid; gap: 14px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr)); }
figure.wide { grid-column: 1 / -1; }
figure { margin: 0; } figure img { width: 100%; height: auto; border: 1px solid var(--line);
  border-radius: 6px;
  background: #fff; display: block; }
figcaption { margin-top: 4px; }
.utterance { border-top: 1px solid var(--line); padding: 12px 0; }
.utterance .text { font-size: 1.05rem; } .utterance .id { color: var(--soft); font-size: .85rem; }
.sounds { display: grid; gap: 10px 16px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr));
  margin-top: 8px; }
.sound .role { font-size: .88rem; margin-bottom: 2px; } .sound .role b { font-weight: 600; }
.sound.ours { background: var(--good); } .sound { border-radius: 8px; padding: 8px; }
audio { width: 100%; height: 36px; display: block; }
details { margin-top: 8px; } summary { cursor: pointer; color: var(--mark); font-size: .9rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 14px; margin: 8px 0 0;
  font-size: .88rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
code { font: .86em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.problems { border-color: #c77; } footer { padding: 32px 16px 48px; }
@media (max-width: 560px) { th, td { padding: 5px 8px; } h2 { margin-top: 32px; }
  section.card { padding: 12px; } }
""".strip()
