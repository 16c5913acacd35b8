# A corpus as it is -> raw manifest -> labelled manifests, one a part.


def corpus_settings(wildcards):
    """Settings that a raw manifest depends on: not those of later stages, else all of a corpus would be read again."""
    values = dump(CORPORA[wildcards.corpus])
    return json.dumps({name: values[name] for name in values if name not in ("parts", "shared_speakers", "trim_silence", "weight")}, sort_keys=True)


def sources(wildcards):
    """What the corpus is made of: when a table or audio changes it is read, labelled and sharded again."""
    return fingerprint(CORPORA[wildcards.corpus], RUN.results)


def label_settings(wildcards):
    """Settings that labels depend on: of the shards only the limits."""
    limits = {name: value for name, value in dump(RUN.shards).items() if name != "hours"}
    return json.dumps([CORPORA[wildcards.corpus].parts, limits], sort_keys=True) + settings("text")


rule corpus:
    output: PATHS.folder / "corpora/{corpus}/manifest.parquet"
    params: settings=corpus_settings, sources=sources
    log: PATHS.folder / "logs/corpus/{corpus}.log"
    threads: 2
    resources: mem_mb=3000, runtime=120
    shell: "earmark corpus {ARGUMENTS} {wildcards.corpus} 2> {log}"


rule label:
    input: rules.corpus.output, [path for path in (RUN.text.inventory, RUN.text.lexicon) if path]
    output: PATHS.folder / "text/{corpus}/part_{part}.parquet"
    params: settings=label_settings
    log: PATHS.folder / "logs/label/{corpus}_{part}.log"
    resources: mem_mb=3000, runtime=120
    shell: "earmark label {ARGUMENTS} {wildcards.corpus} --part {wildcards.part} 2> {log}"
