# earmark: corpora -> text -> shards -> train -> diagnose -> evaluate -> report, in the order of the includes.
#
#   snakemake --profile profiles/default                                          the default run
#   snakemake --profile profiles/default --config settings=config/words.yaml     another configuration
#   snakemake --profile profiles/default --config settings=config/ablations/no_joint.yaml       a variant of the default run
#   snakemake --profile profiles/default data                                     up to the shards only; in the same way up to a
#                                                          stage: pretraining, alignment, ia_sft, joint_sft, evaluate
#   snakemake --profile profiles/default --config data=False                      from finished shards on

from snakemake.utils import min_version

min_version("9.27")

include: "workflow/rules/common.smk"
if OWN_DATA:
    include: "workflow/rules/corpora.smk"
    include: "workflow/rules/shards.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/diagnose.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"


# While pretraining goes on, the wanted files grow with every decision; the report joins after the last one.
rule all:
    default_target: True
    input: wavefront


# The stages, each with all that comes before it.
rule pretraining:
    input: done("pretrain", PRETRAINED), PATHS.trace

rule alignment:
    input: done("align", RUN.stages.align.steps)

if "ia_sft" in RUN.post_training.stages:
    rule ia_sft:
        input: ends_of_stage("ia_sft")

if "joint" in RUN.post_training.stages:
    rule joint_sft:
        input: ends_of_stage("joint")
