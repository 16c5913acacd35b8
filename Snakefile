# The workflow stands in workflow/Snakefile; here it is for `snakemake` in the repository's root.
#
#   snakemake --profile profiles/default                                          the default run
#   snakemake --profile profiles/default --config settings=config/words.yaml     another configuration
#   snakemake --profile profiles/default --config settings=config/ablations/no_joint.yaml       a variant of the default run
#   snakemake --profile profiles/default data                                     up to the shards only; in the same way up to a
#                                                          stage: pretraining, alignment, ia_sft, joint_sft, evaluate
#   snakemake --profile profiles/default --config data=False                      from finished shards on


include: "workflow/Snakefile"


# An included file's default target does not count.
workflow.default_target = "all"
