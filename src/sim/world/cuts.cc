#include "sim/world/cuts.h"

namespace muster::sim {

Cuts::CutId Cuts::cut(std::vector<Pair> pairs) {
    for (const Pair& pair : pairs) {
        ++blocked_[pair];
    }
    cuts_[++last_] = std::move(pairs);
    return last_;
}

void Cuts::forget(const std::vector<Pair>& pairs) {
    for (const Pair& pair : pairs) {
        if (--blocked_[pair] == 0) {
            blocked_.erase(pair);
        }
    }
}

void Cuts::open(CutId id) {
    if (const auto known = cuts_.find(id); known != cuts_.end()) {
        forget(known->second);
        cuts_.erase(known);
        on_opened();
    }
}

void Cuts::open_all() {
    cuts_.clear();
    blocked_.clear();
    on_opened();
}

std::vector<Cuts::Pair> Cuts::between(const std::vector<std::string>& one,
                                      const std::vector<std::string>& other) {
    std::vector<Pair> pairs;
    for (const std::string& a : one) {
        for (const std::string& b : other) {
            pairs.emplace_back(a, b);
            pairs.emplace_back(b, a);
        }
    }
    return pairs;
}

}  // namespace muster::sim
