# Test sets through the final model, and the CTC head of pretraining beside it.


rule evaluate:
    input:
        model=done("joint", RUN.stages.joint.steps),
        pretrained=done("pretrain", PRETRAINED),
        llm=rules.language.output,
    output:
        PATHS.evaluation / "utterances.parquet",
        PATHS.evaluation / "scores.json",
    params: settings=settings("decoding", "evaluation")
    log: PATHS.folder / "logs/evaluate.log"
    resources: mem_mb=6000, runtime=240
    shell: "earmark evaluate {ARGUMENTS} {input.model} {input.pretrained} 2> {log}"
