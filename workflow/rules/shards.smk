# Labelled manifests -> shards -> the one manifest that training sees.


rule shards:
    input: rules.label.output
    output: PATHS.folder / "shards/{corpus}/done.json"
    params: settings=lambda wildcards: str(CORPORA[wildcards.corpus].trim_silence) + settings("text", "shards")
    log: PATHS.folder / "logs/shards/{corpus}.log"
    threads: 2
    resources: mem_mb=4000, runtime=480
    shell: "earmark shards {ARGUMENTS} {wildcards.corpus} --workers {threads} 2> {log}"


rule dataset:
    input: expand(rules.shards.output, corpus=CORPORA)
    output: PATHS.dataset
    params: settings=settings("text")
    log: PATHS.folder / "logs/dataset.log"
    resources: mem_mb=1000, runtime=30
    shell: "earmark dataset {ARGUMENTS} 2> {log}"
