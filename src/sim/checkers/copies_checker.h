#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/checkers/truth.h"
#include "sim/world/network.h"
#include "sim/world/registry.h"

namespace muster::sim {

// I6: at most one node ever says that it leads a slot in an epoch. I1 for copies: at rest all
// copies of a slot have one position and one content, there are as many as were asked for and as
// nodes can hold, and nobody stands in for a leader. It asks the data servers as an operator's
// verify does.
class CopiesChecker final : public Checker, private msg::Receiver {
public:
    // How long answers take when there are no faults.
    static constexpr Duration kAnswers = std::chrono::milliseconds(50);

    CopiesChecker(Truth& truth, Registry& registry, Network& network, Process& process);

    // What at_rest() judges. Answers come within kAnswers.
    void ask();
    void step() override {
        if (truth_.now() - asked_ > kAnswers) {
            ask();
        }
    }
    // What the answers say against copies that are equal; none: nothing, or not all answered.
    [[nodiscard]] std::optional<std::string> difference() const;
    void at_rest() override;

private:
    void on_message(const msg::RoleAddress& from, const msg::ClusterMessage& message) override;
    [[nodiscard]] std::optional<std::string> difference(
        const std::vector<msg::VerifyReply::Copy>& copies) const;

    Registry& registry_;
    Network& network_;
    msg::RoleAddress self_;
    MonoTime asked_;
    std::uint64_t query_ = 0;
    std::map<NodeId, std::vector<msg::VerifyReply::Copy>> answers_;  // to the newest query
    std::map<std::pair<SlotId, Epoch>, NodeId> leaders_;
};

}  // namespace muster::sim
