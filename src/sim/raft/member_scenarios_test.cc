#include "sim/raft/scenario.h"

namespace muster::raft::swarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(RaftScenario, ALearnerCatchesUpBySnapshotAndIsPromoted) {
    ClusterOptions options = three();
    options.hosts = 4;
    begin(options);
    write(300);
    const std::size_t lead = leader();
    const auto direct = answer_to(group->change(lead, members_with({0, 1, 2, 3})));
    EXPECT_EQ(direct.why.code, Errc::refused);
    ASSERT_TRUE(answer_to(group->change(lead, members_with({0, 1, 2}, {3}))).good);
    const auto early = answer_to(group->change(lead, members_with({0, 1, 2, 3})));
    EXPECT_EQ(early.why.code, Errc::unavailable);
    converge();
    const auto promoted = answer_to(group->change(lead, members_with({0, 1, 2, 3})));
    EXPECT_TRUE(promoted.good) << to_string(promoted.why);
    write(10);
    converge();
    EXPECT_EQ(group->node(3).members(), members_with({0, 1, 2, 3}));
}

// Promoted, it would be a voter that does not vote; the leader's end would be that of the group.
TEST_F(RaftScenario, ALearnerInDoubtIsNotPromoted) {
    ClusterOptions options = three();
    options.hosts = 4;
    begin(options);
    write(25);  // more than one message
    const std::size_t lead = leader();
    group->disk_weather(3) = {.delay_min = milliseconds(300), .delay_max = milliseconds(300)};
    ASSERT_TRUE(answer_to(group->change(lead, members_with({0, 1, 2}, {3}))).good);
    const auto& learner = group->node(lead).core().followers().at(Cluster::id_of(3));
    ASSERT_TRUE(group->run_until([&] { return learner.match() > LogIndex(3); }, seconds(20)));
    ASSERT_TRUE(in_doubt(3));
    const auto early = answer_to(group->change(lead, members_with({0, 1, 2, 3})));
    EXPECT_EQ(early.why.code, Errc::unavailable);
    ASSERT_TRUE(group->run_until([&] { return learner.there(); }, seconds(20)));
    EXPECT_TRUE(answer_to(group->change(lead, members_with({0, 1, 2, 3}))).good);
    converge();
}

// A change that is not the first of its message is taken back with its own entry, not with another.
TEST_F(RaftScenario, AChangeInTheMiddleOfABatchIsTakenBackWithItsEntry) {
    ClusterOptions options = three();
    options.hosts = 6;
    options.voters = 5;
    begin(options);
    write(3);
    converge();
    const std::size_t old = leader();
    const std::size_t behind = (old + 1) % 5;
    const auto entries_only = [&](bool to_it) {
        return [&, to_it](const Message& message) {
            const auto* append = std::get_if<AppendRequest>(&message.body);
            return append == nullptr || append->entries.empty() ||
                   (message.to == Cluster::id_of(behind)) == to_it;
        };
    };
    // A command that all have but one; then a change that only that one gets, behind the command.
    group->filter = entries_only(false);
    write(1);
    const LogIndex place = next(group->node(old).core().log().last());
    group->filter = entries_only(true);
    (void)group->change(old, members_with({0, 1, 2, 3, 4}, {5}));
    (void)group->propose(old);
    const auto members_of_it = [&] { return group->node(behind).members(); };
    ASSERT_TRUE(group->run_until(
        [&] { return members_of_it() == members_with({0, 1, 2, 3, 4}, {5}); }, seconds(2)));
    ASSERT_EQ(group->node(behind).core().log().membership_index(), place);
    group->isolate(behind);
    group->crash(old);
    group->filter = nullptr;
    ASSERT_TRUE(
        group->run_until([&] { return group->leader() && *group->leader() != old; }, seconds(10)));
    group->heal_network();
    write(1);
    converge_without(old);
    EXPECT_EQ(members_of_it(), members_with({0, 1, 2, 3, 4}));
    group->start(old);
    converge();
    EXPECT_EQ(group->node(old).members(), members_with({0, 1, 2, 3, 4}));
}

// Ongaro's correction of 2015 to 4.1.
TEST_F(RaftScenario, AChangeWaitsUntilTheLeaderAgreedOnAnEntryOfItsTerm) {
    begin();
    write(3);
    converge();
    const std::size_t first = leader();
    group->crash(first);
    group->filter = [](const Message& message) {
        const auto* append = std::get_if<AppendRequest>(&message.body);
        return append == nullptr || append->entries.empty();
    };
    const std::size_t lead = leader_in_name();
    const std::size_t other = 3 - first - lead;
    const auto early = group->change(lead, members_with({lead, other}));
    EXPECT_EQ(answer_to(early).why.code, Errc::not_ready);
    group->filter = nullptr;
    ASSERT_TRUE(group->run_until([&] { return group->leader().has_value(); }, seconds(10)));
    EXPECT_TRUE(answer_to(group->change(leader(), members_with({lead, other}))).good);
    write(3);
}

TEST_F(RaftScenario, ALeaderHandsOverAndThenLeaves) {
    begin();
    write(5);
    const std::size_t old = leader();
    std::vector<std::size_t> others;
    for (std::size_t host = 0; host < 3; ++host) {
        if (host != old) {
            others.push_back(host);
        }
    }
    // Asked to leave it hands over first, and the new one is to be asked.
    const MonoTime then = group->now();
    EXPECT_EQ(answer_to(group->change(old, members_with(others))).why.code, Errc::not_leader);
    ASSERT_TRUE(
        group->run_until([&] { return group->leader() && *group->leader() != old; }, seconds(1)));
    EXPECT_LT(group->now() - then, milliseconds(200));
    group->run_for(milliseconds(200));  // until it heard of all
    EXPECT_TRUE(answer_to(group->change(leader(), members_with(others))).good);
    write(5);
    converge();
}

TEST_F(RaftScenario, ALeaderIsAskedToHandOver) {
    begin();
    write(5);
    const std::size_t old = leader();
    const std::size_t other = follower();
    const MonoTime then = group->now();
    EXPECT_TRUE(answer_to(group->transfer(old, other)).good);
    EXPECT_LT(group->now() - then, milliseconds(200));
    ASSERT_TRUE(group->run_until([&] { return group->leader() == other; }, seconds(1)));
    write(5);
    converge();
}

TEST_F(RaftScenario, ALeaderThatStopsHandsOverToWhoIsThere) {
    begin();
    write(5);
    const std::size_t old = leader();
    const std::size_t away = (old + 1) % 3;
    group->isolate(away);
    group->run_for(seconds(3));
    ASSERT_EQ(group->leader(), old);
    const MonoTime then = group->now();
    EXPECT_TRUE(answer_to(group->stop(old)).good);
    ASSERT_TRUE(group->run_until([&] { return group->leader() == (old + 2) % 3; }, seconds(1)));
    EXPECT_LT(group->now() - then, milliseconds(200));
    // It does not come back into office while it ends, and a follower ends at once.
    group->heal_network();
    converge();
    group->crash((old + 2) % 3);
    ASSERT_TRUE(group->run_until([&] { return group->leader() == away; }, seconds(20)));
    EXPECT_TRUE(answer_to(group->stop(old)).good);
}

TEST_F(RaftScenario, ALeaderWhoseProcessIsKnownToBeGoneIsReplacedAtOnce) {
    begin();
    write(5);
    const std::size_t old = leader();
    group->crash(old);
    const MonoTime then = group->now();
    for (std::size_t host = 0; host < 3; ++host) {
        if (host != old) {
            group->say_gone(host, old);
        }
    }
    ASSERT_TRUE(
        group->run_until([&] { return group->leader() && *group->leader() != old; }, seconds(1)));
    EXPECT_LT(group->now() - then, milliseconds(300));
    // A wrong word changes nothing: the other one hears the leader.
    group->start(old);
    write(1);
    const std::size_t lead = leader();
    group->say_gone(follower(), lead);
    group->run_for(seconds(5));
    EXPECT_EQ(group->leader(), lead);
}

TEST_F(RaftScenario, ATransferToADeadNodeIsGivenUpAndTheLeaderGoesOn) {
    begin();
    const std::size_t lead = leader();
    const std::size_t host = follower();
    group->crash(host);
    EXPECT_FALSE(answer_to(group->transfer(lead, host)).good);
    write(5);
}

// Votes are given by the log, whatever the voter's own members say (thesis 4.2.2). In libraft a
// voter that had not heard of its promotion refused, and demotions with crashes left a group that
// could not elect anybody.
TEST_F(RaftScenario, VotersThatDoNotKnowThatTheyAreVotersAgainElectALeader) {
    ClusterOptions options = three();
    options.hosts = options.voters = 5;
    begin(options);
    write(5);
    const std::size_t lead = leader();
    const std::size_t knows = (lead + 1) % 5;
    const std::size_t knew = (lead + 2) % 5;
    const std::size_t first = (lead + 3) % 5;
    const std::size_t second = (lead + 4) % 5;
    const auto demoted = members_with({lead, knows, knew}, {first, second});
    ASSERT_TRUE(
        answer_to(group->change(lead, members_with({lead, knows, knew, first}, {second}))).good);
    ASSERT_TRUE(answer_to(group->change(lead, demoted)).good);
    converge();
    // Voters again, and no entry tells them.
    group->filter = [&](const Message& message) {
        const auto* append = std::get_if<AppendRequest>(&message.body);
        return append == nullptr || append->entries.empty() ||
               (message.to != Cluster::id_of(first) && message.to != Cluster::id_of(second));
    };
    ASSERT_TRUE(
        answer_to(group->change(lead, members_with({lead, knows, knew, first}, {second}))).good);
    ASSERT_TRUE(answer_to(group->change(lead, members_with({0, 1, 2, 3, 4}))).good);
    write(5);
    ASSERT_EQ(group->node(first).members(), demoted);
    ASSERT_EQ(group->node(second).members(), demoted);
    // Three of five are left: the one that knows, and these two.
    group->crash(lead);
    group->crash(knew);
    ASSERT_EQ(leader_in_name(seconds(30)), knows);
    ASSERT_EQ(group->node(first).members(), demoted);
    group->filter = nullptr;
    write(5);
    group->start(lead);
    group->start(knew);
    converge();
    EXPECT_EQ(group->node(first).members(), members_with({0, 1, 2, 3, 4}));
    EXPECT_EQ(group->oracle().order().size(), 15U);
}

// Who is being demoted may be the only one left that can be elected (thesis 4.2.2, figure 4.6): the
// others have not heard of it, and are refused for their logs.
TEST_F(RaftScenario, AVoterWhoseDemotionIsNotAgreedCanStillBeElected) {
    ClusterOptions options = three();
    options.hosts = options.voters = 4;
    begin(options);
    write(5);
    converge();
    const std::size_t lead = leader();
    const std::size_t demoted = (lead + 1) % 4;
    group->filter = [&](const Message& message) {
        const auto* append = std::get_if<AppendRequest>(&message.body);
        return append == nullptr || append->entries.empty() ||
               message.to == Cluster::id_of(demoted);
    };
    std::vector<std::size_t> voters;
    for (std::size_t host = 0; host < 4; ++host) {
        if (host != demoted) {
            voters.push_back(host);
        }
    }
    (void)group->change(lead, members_with(voters, {demoted}));
    ASSERT_TRUE(group->run_until(
        [&] { return group->node(demoted).members() == members_with(voters, {demoted}); },
        seconds(1)));
    group->run_for(milliseconds(20));
    group->crash(lead);
    group->filter = nullptr;
    // Three of four are there. It leads until its demotion is agreed, and then one of the others.
    ASSERT_TRUE(group->run_until(
        [&] { return group->leader().has_value() && *group->leader() != demoted; }, seconds(60)));
    write(5);
    group->start(lead);
    converge();
    EXPECT_EQ(group->node(demoted).members(), members_with(voters, {demoted}));
    EXPECT_EQ(group->oracle().order().size(), 10U);
}

TEST_F(RaftScenario, ASingleVoterAgreesWithItself) {
    ClusterOptions options = three();
    options.hosts = 1;
    options.voters = 1;
    begin(options);
    write(100);
    group->crash(0);
    group->start(0);
    write(10);
    EXPECT_TRUE(answer_to(group->read(0)).good);
    EXPECT_EQ(group->applied_commands(0), 110U);
}

}  // namespace
}  // namespace muster::raft::swarm
