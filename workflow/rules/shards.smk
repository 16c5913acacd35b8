# Labelled manifests -> shards -> the one manifest that training sees. A job that was killed keeps the shards it finished.


def shard_settings(wildcards):
    """Settings that features depend on, and the cut into shards."""
    return f"{CORPORA[wildcards.corpus].trim_silence} {RUN.shards.hours} " + settings("text")


rule shards:
    input: rules.label.output
    output: PATHS.folder / "shards/{corpus}/part_{part}/done.json"
    params: settings=shard_settings, sources=sources  # a recording of the same length leaves the labels as they were
    log: PATHS.folder / "logs/shards/{corpus}_{part}.log"
    threads: 2
    resources: mem_mb=4000, runtime=480
    shell: "earmark shards {ARGUMENTS} {wildcards.corpus} --part {wildcards.part} --workers {threads} 2> {log}"


rule dataset:
    input: [PATHS.shards_done(name, part) for name, corpus in CORPORA.items() for part in range(corpus.parts)]
    output: PATHS.dataset
    params: settings=settings("text") + json.dumps({name: corpus.shared_speakers for name, corpus in CORPORA.items()}) + str(RUN.encoder.cmvn)
    log: PATHS.folder / "logs/dataset.log"
    resources: mem_mb=4000, runtime=120
    shell: "earmark dataset {ARGUMENTS} 2> {log}"


rule data:
    input: rules.dataset.output
