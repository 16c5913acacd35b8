# One page about the run, and its numbers for scripts.


def diagnosed(wildcards):
    """Entropy metrics of every snapshot that the watch saw, and after each stage."""
    snapshots = [PATHS.entropy("pretrain", step) for step in sorted({RUN.watch.first_step, *WATCHED, PRETRAINED})]
    return snapshots + [PATHS.entropy(one.instance, one.steps) for one in planned()]


rule report:
    input:
        scores=rules.evaluate.output,
        trace=PATHS.trace,
        entropy=diagnosed,
    output:
        report(PATHS.folder / "report.html", caption="../report/page.rst", category="Report"),
        PATHS.folder / "summary.json",
        PATHS.folder / "catalog.duckdb",
    params: settings=settings("evaluation", "watch")
    log: PATHS.folder / "logs/report.log"
    resources: mem_mb=2000, runtime=30
    shell: "earmark report {ARGUMENTS} 2> {log}"
