#pragma once

namespace CLI {
class App;
}

namespace muster::cli {

// Adds `muster bench` with a command for each of its works. What it returns when it was called
// becomes `exit_status`: 0 all went as it should, 1 not reached or refused, 2 wrong usage, 3
// interrupted, or something was not told in time, falsely removed or shown in an older state.
void add_bench(CLI::App& app, int& exit_status);

}  // namespace muster::cli
