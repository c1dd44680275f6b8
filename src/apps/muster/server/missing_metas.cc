#include "apps/muster/server/missing_metas.h"

#include <fmt/format.h>

namespace muster::cli {
namespace {

constexpr std::size_t kNamed = 5;

class Names {
public:
    void add(const MissingMeta& meta) {
        ++count_;
        if (count_ <= kNamed) {
            text_ += fmt::format("{}{} at {}", count_ > 1 ? ", " : "", meta.node, meta.address);
        }
    }
    [[nodiscard]] bool empty() const {
        return count_ == 0;
    }
    [[nodiscard]] std::string text() const {
        return count_ <= kNamed ? text_ : text_ + fmt::format(" and {} others", count_ - kNamed);
    }

private:
    std::size_t count_ = 0;
    std::string text_;
};

}  // namespace

std::string say_missing(const std::vector<MissingMeta>& missing, std::size_t all) {
    Names unheard;
    Names refused;
    for (const MissingMeta& meta : missing) {
        (meta.refusal ? refused : unheard).add(meta);
    }
    std::string text = fmt::format("linked with {} of {} other metas", all - missing.size(), all);
    if (!unheard.empty()) {
        text += "; no answer from " + unheard.text() +
                ": start what is not running, or correct the address in cluster.join (--join)";
    }
    if (!refused.empty()) {
        text += "; no link with " + refused.text() +
                ": link.refused or link.refused_by_peer in this log says why, and what to do";
    }
    return text;
}

}  // namespace muster::cli
