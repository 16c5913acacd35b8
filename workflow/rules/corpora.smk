# A corpus as it is -> raw manifest -> labelled manifest.


rule corpus:
    output: PATHS.folder / "corpora/{corpus}/manifest.parquet"
    params: settings=lambda wildcards: json.dumps(dump(CORPORA[wildcards.corpus]), sort_keys=True)
    log: PATHS.folder / "logs/corpus/{corpus}.log"
    threads: 2
    resources: mem_mb=3000, runtime=120
    shell: "earmark corpus {ARGUMENTS} {wildcards.corpus} 2> {log}"


rule label:
    input: rules.corpus.output
    output: PATHS.folder / "text/{corpus}/manifest.parquet"
    params: settings=settings("text", "shards")
    log: PATHS.folder / "logs/label/{corpus}.log"
    resources: mem_mb=3000, runtime=120
    shell: "earmark label {ARGUMENTS} {wildcards.corpus} 2> {log}"
