#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace muster::sim {

// Who cannot be heard by whom: each cut is a set of one-way pairs of processes, by name. Several
// may hold at once; a pair is open when none of them names it.
class Cuts {
public:
    using Pair = std::pair<std::string, std::string>;  // from, to
    using CutId = std::uint64_t;

    CutId cut(std::vector<Pair> pairs);
    void open(CutId id);
    void open_all();

    [[nodiscard]] bool blocked(const std::string& from, const std::string& to) const {
        return !blocked_.empty() && blocked_.contains({from, to});
    }
    // Either way.
    [[nodiscard]] bool apart(const std::string& one, const std::string& other) const {
        return blocked(one, other) || blocked(other, one);
    }

    // Told after pairs were opened.
    std::function<void()> on_opened = [] {};

    // Every pair of a process of `one` and a process of `other`, both ways.
    [[nodiscard]] static std::vector<Pair> between(const std::vector<std::string>& one,
                                                   const std::vector<std::string>& other);

private:
    void forget(const std::vector<Pair>& pairs);

    CutId last_ = 0;
    std::map<CutId, std::vector<Pair>> cuts_;
    std::map<Pair, int> blocked_;  // by how many cuts
};

}  // namespace muster::sim
