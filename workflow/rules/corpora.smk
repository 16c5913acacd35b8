# A corpus as it is -> raw manifest -> labelled manifests, one a part.


rule corpus:
    output:
        PATHS.folder / "corpora/{corpus}/manifest.parquet",
    log:
        PATHS.folder / "logs/corpus/{corpus}.log",
    threads: needed.data("corpus").threads
    resources:
        **asks(needed.data("corpus")),
    params:
        run=arguments,
        settings=corpus_settings,
        sources=sources,
    shell:
        "earmark corpus {params.run} {wildcards.corpus} 2> {log}"


rule label:
    input:
        rules.corpus.output,
        [path for path in (RUN.text.inventory, RUN.text.lexicon) if path],
    output:
        PATHS.folder / "text/{corpus}/part_{part}.parquet",
    log:
        PATHS.folder / "logs/label/{corpus}_{part}.log",
    resources:
        **asks(needed.data("label")),
    params:
        run=arguments,
        settings=label_settings,
    shell:
        "earmark label {params.run} {wildcards.corpus} --part {wildcards.part} 2> {log}"
