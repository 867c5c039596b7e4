from test.recipes.test_documented_recipes import *
from test.recipes.conftest import *
def test_some(prepared, spoken, tmp_path):
    calls = recipe_calls(tmp_path)
    bad=[]
    for number, options in enumerate(calls):
        if number and number not in range(*(4, 40)): continue
        if "--durations" in options:
            for source in (prepared.path / "data").glob("*/durations"):
                folder = prepared.path / dict(itertools.pairwise(options))["--durations"]
                (folder / source.parent.name).mkdir(parents=True, exist_ok=True)
                for table in ("durations", "aligned_phones"):
                    (folder / source.parent.name / table).write_bytes((source.parent / table).read_bytes())
        done = prepared.run(*cut_down(options, spoken, f"exp{number}"), check=False)
        print(number, done.returncode, ' '.join(options), flush=True)
        if done.returncode: print(done.stdout[-1500:], done.stderr[-1500:], flush=True)
