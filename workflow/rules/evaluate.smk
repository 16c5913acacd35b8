# Test sets through the final model, and the CTC head of pretraining beside it.


rule evaluate:
    input:
        model=last_model,
        pretrained=done("pretrain", PRETRAINED),
        llm=LLM,
    output:
        PATHS.evaluation / "utterances.parquet",
        PATHS.evaluation / "scores.json",
    log:
        PATHS.folder / "logs/evaluate.log",
    threads: needed.evaluation(RUN, SITE).threads
    resources:
        **asks(needed.evaluation(RUN, SITE)),
    params:
        run=arguments,
        settings=settings("decoding", "evaluation"),
    shell:
        "earmark evaluate {params.run} {input.model} {input.pretrained} 2> {log}"
