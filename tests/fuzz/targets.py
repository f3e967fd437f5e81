"""What is fuzzed: a strategy of examples each, which are run by their method `run`."""

from command_lines import commands
from estimator_calls import fits, questions
from public_calls import public_calls

TARGETS = {
    "command lines": commands,
    "fits": fits,
    "public calls": public_calls,
    "questions": questions,
}
