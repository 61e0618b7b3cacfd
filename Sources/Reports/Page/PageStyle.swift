/// How pages look: by day and by night, on a desk and on a telephone.
enum PageStyle {
    static let sheet = """
        :root { color-scheme: light dark; --page: #fbfbfa; --card: #ffffff; --ink: #1b1f24; --quiet: #565f6a; --edge: #dfe2e6;
          --accent: #2057a3; --right: #1f7a37; --wrong: #b3261e;
          --c0: #2563a8; --c1: #b8520a; --c2: #2c7a3f; --c3: #7d3fa3; --c4: #b3261e; --c5: #0b7373; --c6: #7a5230; --c7: #56616f; }
        @media (prefers-color-scheme: dark) { :root { --page: #131619; --card: #1b1f23; --ink: #e6e9ec; --quiet: #a2abb5;
          --edge: #343a41; --accent: #8ab8f5; --right: #6fce8a; --wrong: #ff8f85;
          --c0: #79b0f2; --c1: #f0a35e; --c2: #79cd8e; --c3: #cf9bf0; --c4: #ff8f85; --c5: #62cfcf; --c6: #d3aa82; --c7: #b0bac6; } }
        * { box-sizing: border-box; }
        html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
        body { margin: 0 auto; max-width: 72rem; padding: 1.5rem clamp(1rem, 3vw, 2.5rem) 3rem; background: var(--page);
          color: var(--ink); font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
        h1 { margin: 0; font-size: 1.75rem; line-height: 1.2; letter-spacing: -0.01em; overflow-wrap: anywhere; }
        h2 { margin: 2.75rem 0 0.75rem; font-size: 1.25rem; letter-spacing: -0.005em; }
        h3 { margin: 1.5rem 0 0.5rem; font-size: 1rem; }
        p { margin: 0.5rem 0; max-width: 46rem; }
        a { color: var(--accent); }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
        .quiet { color: var(--quiet); }
        footer { margin-top: 3rem; font-size: 0.875rem; }
        nav ul, .legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.1rem; margin: 0; padding: 0; list-style: none;
          font-size: 0.9rem; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 0.75rem; margin: 1.25rem 0; }
        .tiles div { padding: 0.7rem 0.9rem; background: var(--card); border: 1px solid var(--edge); border-radius: 0.5rem; }
        .tiles dt { color: var(--quiet); font-size: 0.8125rem; }
        .tiles dd { margin: 0; font-size: 1.375rem; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
        .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1rem; }
        figure { margin: 0; }
        figcaption { font-size: 0.9rem; }
        .plot { padding: 0.9rem; background: var(--card); border: 1px solid var(--edge); border-radius: 0.5rem; min-width: 0; }
        .plot figcaption { font-weight: 600; margin-bottom: 0.4rem; }
        .plot.big { max-width: 46rem; }
        svg { display: block; width: 100%; height: auto; }
        svg text { fill: var(--quiet); font-size: 12px; font-family: inherit; font-variant-numeric: tabular-nums; }
        .grid { stroke: var(--edge); stroke-width: 1; }
        .line { fill: none; stroke: var(--c); stroke-width: 1.75; stroke-linejoin: round; }
        .dot { fill: var(--c); }
        .area { fill: var(--c); fill-opacity: 0.28; stroke: var(--c); stroke-width: 1.25; }
        .c0 { --c: var(--c0); } .c1 { --c: var(--c1); } .c2 { --c: var(--c2); } .c3 { --c: var(--c3); }
        .c4 { --c: var(--c4); } .c5 { --c: var(--c5); } .c6 { --c: var(--c6); } .c7 { --c: var(--c7); }
        .legend { margin-top: 0.5rem; color: var(--quiet); }
        .legend li::before { content: ""; display: inline-block; width: 0.7em; height: 0.7em; margin-right: 0.4em;
          border-radius: 0.15em; background: var(--c); }
        .wide, .ranked ol { overflow-x: auto; }
        table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
        th, td { padding: 0.35rem 0.9rem 0.35rem 0; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--edge); }
        th:first-child { text-align: left; }
        thead th { color: var(--quiet); font-weight: 600; }
        tbody th { font-weight: 500; }
        .facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0.3rem 1.25rem; margin: 0.5rem 0;
          font-size: 0.9rem; }
        .facts dt { color: var(--quiet); }
        .facts dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
        .ranked { margin: 0 0 1.1rem; }
        .ranked ol { display: flex; gap: 0.5rem; margin: 0.35rem 0 0; padding: 0.15rem 0.15rem 0.4rem; list-style: none; }
        .ranked li { flex: none; padding: 4px; border-radius: 6px; background: var(--edge); text-align: center; }
        .ranked li.query { margin-right: 0.75rem; }
        .ranked li.hit { background: var(--right); } .ranked li.miss { background: var(--wrong); }
        .ranked span { display: block; margin: 4px -4px -4px; padding: 1px 4px; border-radius: 0 0 6px 6px; background: var(--card);
          color: var(--ink); font-size: 0.8rem; font-variant-numeric: tabular-nums; }
        img { display: block; max-width: none; border-radius: 3px; }
        .looks { display: flex; flex-wrap: wrap; gap: 1rem 1.5rem; }
        .looks figure { display: flex; flex-wrap: wrap; gap: 4px; width: min-content; min-width: 14.25rem; }
        .looks figcaption { flex-basis: 100%; color: var(--quiet); font-size: 0.85rem; }
        pre { overflow-x: auto; padding: 1rem; background: var(--card); border: 1px solid var(--edge); border-radius: 0.5rem;
          font: 0.8125rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
        summary { cursor: pointer; }
        @media (max-width: 30rem) { .facts { grid-template-columns: 1fr; gap: 0; } .facts dd { margin-bottom: 0.5rem; }
          h2 { margin-top: 2.25rem; } }
        @media print { .wide, .ranked ol { overflow: visible; } nav { display: none; } }
        """
}
