#include "raft/consensus.h"

#include <utility>

namespace muster::raft {
namespace {

class WholeView final : public StateView {
public:
    explicit WholeView(std::string state) : state_(std::move(state)) {}

    bool append_part(std::string& out, std::size_t /*bytes_max*/) override {
        out += state_;
        return false;
    }
    [[nodiscard]] std::size_t bytes_about() const override {
        return state_.size();
    }

private:
    std::string state_;
};

}  // namespace

std::unique_ptr<StateView> StateMachine::view() const {
    return std::make_unique<WholeView>(snapshot());
}

std::string_view to_string(ConsensusRole role) {
    switch (role) {
        case ConsensusRole::stopped: return "stopped";
        case ConsensusRole::recovering: return "recovering";
        case ConsensusRole::follower: return "follower";
        case ConsensusRole::candidate: return "candidate";
        case ConsensusRole::leader: return "leader";
    }
    return "unknown";
}

}  // namespace muster::raft
