# One page about the run, and its numbers for scripts.


rule report:
    input:
        scores=rules.evaluate.output,
        trace=PATHS.trace,
        entropy=diagnosed,
    output:
        report(PATHS.folder / "report.html", caption="../report/page.rst", category="Report"),
        PATHS.folder / "summary.json",
        PATHS.folder / "catalog.duckdb",
    log:
        PATHS.folder / "logs/report.log",
    resources:
        **asks(needed.data("report")),
    params:
        run=arguments,
        settings=settings("evaluation", "watch"),
    shell:
        "earmark report {params.run} 2> {log}"
