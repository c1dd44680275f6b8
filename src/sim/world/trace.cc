#include "sim/world/trace.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "base/hash.h"

namespace muster::sim {

void Trace::note(MonoTime at, std::string_view who, std::string_view what) {
    if (silent_) {
        return;
    }
    const std::int64_t micros =
        std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count();
    std::string line =
        fmt::format("{:>7}.{:06} {:<12} {}", micros / 1'000'000, micros % 1'000'000, who, what);
    hash_ = hash64(line, hash_);
    ++count_;
    if (print_) {
        fmt::print("{}\n", line);
    }
    newest_.push_back(std::move(line));
    if (newest_.size() > kKept) {
        newest_.pop_front();
    }
}

std::vector<std::string> Trace::about(const std::vector<std::string>& words,
                                      std::size_t limit) const {
    std::vector<std::string> lines;
    for (auto line = newest_.rbegin(); line != newest_.rend() && lines.size() < limit; ++line) {
        if (std::ranges::any_of(words, [&](const std::string& word) {
                return line->find(word) != std::string::npos;
            })) {
            lines.push_back(*line);
        }
    }
    std::ranges::reverse(lines);
    return lines;
}

}  // namespace muster::sim
