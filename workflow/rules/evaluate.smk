# Test sets through the final model, and the CTC head of pretraining beside it.


def last_model(wildcards):
    """The last segment of post-training."""
    last = planned()[-1]
    return done(last.instance, last.steps)


rule evaluate:
    input:
        model=last_model,
        pretrained=done("pretrain", PRETRAINED),
        llm=LLM,
    output:
        PATHS.evaluation / "utterances.parquet",
        PATHS.evaluation / "scores.json",
    params: settings=settings("decoding", "evaluation")
    log: PATHS.folder / "logs/evaluate.log"
    resources: mem_mb=6000, runtime=240
    shell: "earmark evaluate {ARGUMENTS} {input.model} {input.pretrained} 2> {log}"
