#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "raft/membership.h"
#include "sim/raft/cluster.h"

namespace muster::raft::swarm {

inline ClusterOptions three() {
    return {.hosts = 3, .voters = 3, .seed = 7, .node = small_bounds()};
}

// A group and the sentences a story is told in.
class RaftScenario : public testing::Test {
protected:
    void begin(ClusterOptions options = three()) {
        group = std::make_unique<Cluster>(std::move(options));
        leader();
    }
    void TearDown() override {
        EXPECT_EQ(group->oracle().complaint(), std::nullopt);
    }

    // Waits until somebody leads.
    std::size_t leader(Duration limit = std::chrono::seconds(5)) {
        EXPECT_TRUE(group->run_until([&] { return group->leader().has_value(); }, limit));
        return group->leader().value_or(0);
    }
    // Elected, whether or not anything is agreed in its reign.
    std::size_t leader_in_name(Duration limit = std::chrono::seconds(10)) {
        std::size_t found = 0;
        const auto elected = [&] {
            for (std::size_t host = 0; host < group->hosts(); ++host) {
                if (group->up(host) && group->node(host).core().role() == ConsensusRole::leader) {
                    found = host;
                    return true;
                }
            }
            return false;
        };
        EXPECT_TRUE(group->run_until(elected, limit));
        return found;
    }
    std::size_t follower() {
        const std::size_t lead = leader();
        return lead == 0 ? 1 : 0;
    }
    Cluster::Answer answer_to(std::uint64_t ticket, Duration limit = std::chrono::seconds(5)) {
        EXPECT_TRUE(group->run_until([&] { return group->answer(ticket) != nullptr; }, limit));
        const auto* answer = group->answer(ticket);
        return answer != nullptr ? *answer : Cluster::Answer{};
    }
    void write(int count) {
        for (int i = 0; i < count; ++i) {
            const auto answer = answer_to(group->propose(leader()));
            EXPECT_TRUE(answer.good) << to_string(answer.why);
        }
    }
    void converge(Duration limit = std::chrono::seconds(10)) {
        EXPECT_TRUE(group->run_until([&] { return group->converged(); }, limit));
        group->run_for(
            std::chrono::milliseconds(200));  // until everybody knows and has written that
    }
    // Of all that are up.
    void converge_without(std::size_t down, Duration limit = std::chrono::seconds(10)) {
        EXPECT_TRUE(group->run_until(
            [&] {
                const auto lead = group->leader();
                for (std::size_t host = 0; lead && host < group->hosts(); ++host) {
                    if (host != down &&
                        is_member(group->node(*lead).members(), Cluster::id_of(host)) &&
                        group->node(host).core().applied() !=
                            group->node(*lead).core().log().last()) {
                        return false;
                    }
                }
                return lead.has_value();
            },
            limit));
    }
    // Of the host's files, those that end so, oldest first.
    std::vector<std::string> files(std::size_t host, std::string_view suffix) {
        std::vector<std::string> found;
        for (const auto& [path, bytes] : group->disk(host).files()) {
            if (path.ends_with(suffix)) {
                found.push_back(path);
            }
        }
        return found;
    }
    [[nodiscard]] Membership members_with(std::vector<std::size_t> voters,
                                          std::vector<std::size_t> learners = {}) const {
        Membership members;
        for (const std::size_t host : voters) {
            members.voters.push_back(Cluster::id_of(host));
        }
        for (const std::size_t host : learners) {
            members.learners.push_back(Cluster::id_of(host));
        }
        return normalised(members);
    }
    [[nodiscard]] bool in_doubt(std::size_t host) const {
        return group->node(host).core().hard_state().doubt;
    }

    std::unique_ptr<Cluster> group;
};

}  // namespace muster::raft::swarm
