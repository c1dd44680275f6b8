#include "raft/raft_core.h"

#include <deque>
#include <map>

#include <gtest/gtest.h>

#include "raft/membership.h"

namespace muster::raft {
namespace {

SharedBytes bytes_of(std::string text) {
    return std::make_shared<const std::string>(std::move(text));
}

Entry command(std::uint64_t index, std::uint64_t term) {
    return {.term = Term(term), .index = LogIndex(index), .data = bytes_of("c")};
}

Membership abc() {
    return {.voters = {NodeId("a"), NodeId("b"), NodeId("c")}};
}

RaftCore::Start with_log(std::uint64_t term, std::vector<Entry> entries) {
    return {.hard = {.term = Term(term)},
            .snapshot = {.payload = bytes_of(encode_membership(abc()))},
            .membership = abc(),
            .entries = std::move(entries)};
}

// One core, whose disk is as fast as a test wants and whose peers are the test.
class Alone {
public:
    Alone(const char* name, RaftCore::Start start, CoreOptions options = {})
        : core(named(name, std::move(options)), Prng(1), std::move(start)) {
        core.begin();
        settle();
    }

    void say(const char* from, std::uint64_t term, MessageBody body) {
        core.receive({.from = NodeId(from), .to = me, .term = Term(term), .body = std::move(body)});
        settle();
    }
    void elapse(CoreTimer timer) {
        core.on_timer(timer);
        settle();
    }
    void settle() {
        for (;;) {
            Effects effects = core.take_effects();
            for (Message& message : effects.messages) {
                sent.push_back(std::move(message));
            }
            for (const Write& write : effects.writes) {
                unwritten.push_back(write.number);
            }
            if (!disk_works || unwritten.empty()) {
                return;
            }
            while (!unwritten.empty()) {
                core.on_written(unwritten.front());
                unwritten.pop_front();
            }
        }
    }
    template <typename Body>
    [[nodiscard]] const Body* last() const {
        for (auto message = sent.rbegin(); message != sent.rend(); ++message) {
            if (const auto* body = std::get_if<Body>(&message->body)) {
                return body;
            }
        }
        return nullptr;
    }
    // Wins an election with the vote of b.
    void lead() {
        elapse(CoreTimer::election);
        say("b", core.term().raw() + 1, VoteReply{.pre = true, .granted = true});
        say("b", core.term().raw(), VoteReply{.granted = true});
    }

    NodeId me;
    bool disk_works = true;
    std::vector<Message> sent;
    std::deque<std::uint64_t> unwritten;
    RaftCore core;

private:
    CoreOptions named(const char* name, CoreOptions options) {
        me = NodeId(name);
        options.node = me;
        return options;
    }
};

TEST(RaftCore, StaleSuffixIsNotAcknowledged) {
    Alone follower("b", with_log(2, {command(1, 1), command(2, 1), command(3, 2), command(4, 2)}));
    follower.say(
        "a", 3,
        AppendRequest{.prev_index = LogIndex(2), .prev_term = Term(1), .commit = LogIndex(4)});
    ASSERT_NE(follower.last<AppendReply>(), nullptr);
    EXPECT_TRUE(follower.last<AppendReply>()->accepted);
    EXPECT_EQ(follower.last<AppendReply>()->match, LogIndex(2));
    EXPECT_EQ(follower.core.commit(), LogIndex(2));
}

TEST(RaftCore, CountsOnlyEntriesOfItsOwnTerm) {
    Alone leader("a", with_log(2, {command(1, 1), command(2, 2)}));
    leader.lead();
    ASSERT_EQ(leader.core.role(), ConsensusRole::leader);
    leader.say("b", 3, AppendReply{.accepted = true, .match = LogIndex(2)});
    EXPECT_EQ(leader.core.commit(), LogIndex(0));
    EXPECT_FALSE(leader.core.ready());
    leader.say("b", 3, AppendReply{.accepted = true, .match = LogIndex(3)});
    EXPECT_EQ(leader.core.commit(), LogIndex(3));
    EXPECT_TRUE(leader.core.ready());
}

TEST(RaftCore, FindsTheMembershipAtItsPlaceInABatch) {
    Alone follower("b", with_log(1, {command(1, 1)}));
    Membership two{.voters = {NodeId("a"), NodeId("b")}};
    const Entry change{.term = Term(1),
                       .index = LogIndex(3),
                       .kind = EntryKind::membership,
                       .data = bytes_of(encode_membership(two))};
    follower.say("a", 1,
                 AppendRequest{.prev_index = LogIndex(1),
                               .prev_term = Term(1),
                               .entries = {command(2, 1), change, command(4, 1)}});
    EXPECT_EQ(follower.core.log().membership_index(), LogIndex(3));
    EXPECT_EQ(follower.core.log().membership(), two);
    // Another leader never heard of it.
    follower.say(
        "c", 2,
        AppendRequest{.prev_index = LogIndex(2), .prev_term = Term(1), .entries = {command(3, 2)}});
    EXPECT_EQ(follower.core.log().membership(), abc());
    EXPECT_EQ(follower.core.log().membership_index(), LogIndex(0));
}

TEST(RaftCore, RefusesAChangeBeforeItAgreedOnSomethingInItsTerm) {
    Alone leader("a", with_log(1, {command(1, 1)}));
    leader.lead();
    const Membership two{.voters = {NodeId("a"), NodeId("b")}};
    auto early = leader.core.change(two);
    ASSERT_FALSE(early.has_value());
    EXPECT_EQ(early.error().code, Errc::not_ready);
    leader.say("b", 2, AppendReply{.accepted = true, .match = LogIndex(2)});
    EXPECT_TRUE(leader.core.change(two).has_value());
    EXPECT_EQ(leader.core.change(abc()).error().code, Errc::busy);
}

TEST(RaftCore, DoesNotSpeakBeforeItsVoteIsDurable) {
    Alone voter("b", with_log(1, {}));
    voter.disk_works = false;
    voter.say("a", 2, VoteRequest{.last_index = LogIndex(0)});
    EXPECT_TRUE(voter.sent.empty());
    voter.disk_works = true;
    voter.settle();
    ASSERT_NE(voter.last<VoteReply>(), nullptr);
    EXPECT_TRUE(voter.last<VoteReply>()->granted);
    voter.say("c", 2, VoteRequest{.last_index = LogIndex(0)});
    EXPECT_FALSE(voter.last<VoteReply>()->granted);
}

TEST(RaftCore, AcknowledgesOnlyWhatItsDiskReported) {
    Alone follower("b", with_log(1, {}));
    follower.disk_works = false;
    follower.say("a", 1, AppendRequest{.entries = {command(1, 1)}});
    EXPECT_EQ(follower.last<AppendReply>(), nullptr);
    follower.say(
        "a", 1,
        AppendRequest{.prev_index = LogIndex(1), .prev_term = Term(1), .commit = LogIndex(1)});
    ASSERT_NE(follower.last<AppendReply>(), nullptr);
    EXPECT_EQ(follower.last<AppendReply>()->match, LogIndex(0));
    EXPECT_EQ(follower.core.applied(), LogIndex(0));
    follower.disk_works = true;
    follower.settle();
    EXPECT_EQ(follower.last<AppendReply>()->match, LogIndex(1));
    EXPECT_EQ(follower.core.applied(), LogIndex(1));
}

TEST(RaftCore, ALeaderCountsItselfOnlyForWhatIsDurable) {
    Alone leader("a", with_log(1, {}));
    leader.lead();
    leader.say("b", 2, AppendReply{.accepted = true, .match = LogIndex(1)});
    ASSERT_EQ(leader.core.commit(), LogIndex(1));
    leader.disk_works = false;
    ASSERT_TRUE(leader.core.propose(bytes_of("x")).has_value());
    leader.say("b", 2, AppendReply{.accepted = true, .match = LogIndex(2)});
    EXPECT_EQ(leader.core.commit(), LogIndex(1));
    // Two others have it: agreed, but not applied here before it is durable here (10.2.1).
    leader.say("c", 2, AppendReply{.accepted = true, .match = LogIndex(2)});
    EXPECT_EQ(leader.core.commit(), LogIndex(2));
    EXPECT_EQ(leader.core.applied(), LogIndex(1));
    leader.disk_works = true;
    leader.settle();
    EXPECT_EQ(leader.core.applied(), LogIndex(2));
}

TEST(RaftCore, DoesNotCountAWriteThatWasCutOff) {
    Alone follower("b", with_log(1, {}));
    follower.disk_works = false;
    follower.say("a", 1, AppendRequest{.entries = {command(1, 1), command(2, 1)}});
    follower.say(
        "c", 2,
        AppendRequest{.prev_index = LogIndex(1), .prev_term = Term(1), .entries = {command(2, 2)}});
    // The first write is done, the vote and the second one are not.
    follower.core.on_written(follower.unwritten.front());
    EXPECT_EQ(follower.core.durable(), LogIndex(1));
}

// The best log at the lowest term: refusals tell it the term it has to pass.
TEST(RaftCore, PreVoteDoesNotLockOutTheBestLog) {
    Alone best("a", with_log(1, {command(1, 1), command(2, 1)}));
    Alone high("b", with_log(9, {command(1, 1)}));
    for (int turn = 0; turn < 8 && best.core.role() != ConsensusRole::leader; ++turn) {
        best.elapse(CoreTimer::election);
        high.elapse(CoreTimer::election);
        for (int round = 0; round < 4; ++round) {
            for (auto* pair : {&best, &high}) {
                Alone& other = pair == &best ? high : best;
                for (const Message& message : std::exchange(pair->sent, {})) {
                    if (message.to == other.me) {
                        other.core.receive(message);
                        other.settle();
                    }
                }
            }
        }
    }
    EXPECT_EQ(best.core.role(), ConsensusRole::leader);
    EXPECT_GT(best.core.term(), Term(9));
}

TEST(RaftCore, DoesNotHearCandidatesWhileItHearsALeader) {
    Alone follower("b", with_log(1, {}));
    follower.say("a", 1, AppendRequest{});
    follower.sent.clear();
    follower.say("c", 5, VoteRequest{.last_index = LogIndex(9), .last_term = Term(5)});
    EXPECT_EQ(follower.core.term(), Term(1));
    EXPECT_TRUE(follower.sent.empty());
    follower.say("c", 5,
                 VoteRequest{.transfer = true, .last_index = LogIndex(9), .last_term = Term(5)});
    EXPECT_EQ(follower.core.term(), Term(5));
}

TEST(RaftCore, ANodeInDoubtNeitherVotesNorCampaigns) {
    RaftCore::Start start = with_log(1, {command(1, 1)});
    start.hard.life = 3;
    start.hard.doubt = true;
    Alone node("b", std::move(start));
    node.elapse(CoreTimer::election);
    EXPECT_TRUE(node.sent.empty());
    node.say("a", 2, VoteRequest{.last_index = LogIndex(9), .last_term = Term(2)});
    EXPECT_FALSE(node.last<VoteReply>()->granted);
    // A word of before the loss does not end the doubt, one of after it and a caught up log do.
    node.say("a", 2,
             AppendRequest{
                 .prev_index = LogIndex(1), .prev_term = Term(1), .last = LogIndex(1), .life = 2});
    EXPECT_TRUE(node.core.hard_state().doubt);
    node.say("a", 2,
             AppendRequest{
                 .prev_index = LogIndex(1), .prev_term = Term(1), .last = LogIndex(2), .life = 3});
    EXPECT_TRUE(node.core.hard_state().doubt);
    node.say("a", 2,
             AppendRequest{.prev_index = LogIndex(1),
                           .prev_term = Term(1),
                           .last = LogIndex(2),
                           .life = 3,
                           .entries = {command(2, 2)}});
    EXPECT_FALSE(node.core.hard_state().doubt);
}

RaftCore::Start with_nothing() {
    RaftCore::Start start = with_log(0, {});
    start.hard.life = 17;
    start.hard.doubt = true;
    return start;
}

TEST(RaftCore, ABlankNodeSaysNothingBeforeAllOthersToldItTheirTerms) {
    Alone node("b", with_nothing());
    ASSERT_EQ(node.core.standing(), Standing::blank);
    ASSERT_NE(node.last<PastRequest>(), nullptr);
    EXPECT_EQ(node.last<PastRequest>()->life, 17U);
    node.sent.clear();
    node.elapse(CoreTimer::election);
    node.say("a", 5, VoteRequest{.last_index = LogIndex(9), .last_term = Term(4)});
    node.say("a", 5, VoteRequest{.pre = true, .last_index = LogIndex(9), .last_term = Term(4)});
    node.say("a", 5, AppendRequest{.last = LogIndex(1), .life = 17, .entries = {command(1, 5)}});
    node.say("a", 5, TimeoutNow{});
    EXPECT_TRUE(node.sent.empty());
    EXPECT_EQ(node.core.term(), Term(0));
    // Of another life, of a stranger, twice of one: not what it waits for.
    node.say("c", 6, PastReply{.life = 16});
    node.say("x", 6, PastReply{.life = 17});
    node.say("a", 5, PastReply{.life = 17});
    node.say("a", 5, PastReply{.life = 17});
    EXPECT_EQ(node.core.unheard(), std::vector{NodeId("c")});
    node.elapse(CoreTimer::heartbeat);
    ASSERT_EQ(node.sent.size(), 1U);
    EXPECT_EQ(node.sent.front().to, NodeId("c"));
    node.say("c", 6, PastReply{.life = 17, .nothing = true});
    EXPECT_EQ(node.core.standing(), Standing::doubtful);
    EXPECT_EQ(node.core.term(), Term(6));
}

TEST(RaftCore, ANodeThatWasBlankHeedsNoLeaderOfATermItMayHaveLeftBehind) {
    Alone node("b", with_nothing());
    node.say("a", 5, PastReply{.life = 17});
    node.say("c", 6, PastReply{.life = 17});
    node.say("a", 5, AppendRequest{.last = LogIndex(1), .life = 17, .entries = {command(1, 5)}});
    EXPECT_EQ(node.core.log().last(), LogIndex(0));
    node.say("c", 6, AppendRequest{.last = LogIndex(1), .life = 17, .entries = {command(1, 6)}});
    EXPECT_EQ(node.core.standing(), Standing::whole);
    // In that term it may have voted for another one: it does not a second time.
    EXPECT_EQ(node.core.hard_state().vote, NodeId("c"));
}

TEST(RaftCore, AGroupBeginsWhenNobodyHoldsAnything) {
    Alone first("b", with_nothing());
    first.say("a", 0, PastReply{.life = 17, .nothing = true});
    EXPECT_EQ(first.core.standing(), Standing::blank);
    first.say("c", 0, PastReply{.life = 17, .nothing = true});
    EXPECT_EQ(first.core.standing(), Standing::whole);
    EXPECT_EQ(first.core.term(), Term(0));
    // Terms went by without an entry: the vote in the last of them may be lost.
    Alone later("b", with_nothing());
    later.say("a", 3, PastReply{.life = 17, .nothing = true});
    later.say("c", 2, PastReply{.life = 17, .nothing = true});
    EXPECT_EQ(later.core.standing(), Standing::whole);
    EXPECT_EQ(later.core.term(), Term(4));
}

TEST(RaftCore, TellsABlankNodeWhetherItHoldsSomething) {
    const auto holds_nothing = [](RaftCore::Start start) {
        Alone node("b", std::move(start));
        node.say("a", 0, PastRequest{.life = 4});
        EXPECT_EQ(node.last<PastReply>()->life, 4U);
        return node.last<PastReply>()->nothing;
    };
    EXPECT_TRUE(holds_nothing(with_nothing()));
    EXPECT_TRUE(holds_nothing(with_log(2, {})));
    EXPECT_FALSE(holds_nothing(with_log(2, {command(1, 1)})));
    RaftCore::Start lost = with_log(2, {});
    lost.hard.doubt = true;
    EXPECT_FALSE(holds_nothing(std::move(lost)));
}

TEST(RaftCore, ForgetsWhatALostLogAcknowledged) {
    Alone leader("a", with_log(1, {}));
    leader.lead();
    leader.say("b", 2, AppendReply{.accepted = true, .match = LogIndex(1)});
    EXPECT_EQ(leader.core.followers().at(NodeId("b")).match(), LogIndex(1));
    leader.say("b", 2, AppendReply{.accepted = true, .match = LogIndex(0), .life = 1});
    EXPECT_EQ(leader.core.followers().at(NodeId("b")).match(), LogIndex(0));
    leader.say("b", 2, AppendReply{.accepted = true, .match = LogIndex(1)});  // late, of before
    EXPECT_EQ(leader.core.followers().at(NodeId("b")).match(), LogIndex(0));
}

TEST(RaftCore, RefusesWhatWaitsBeyondItsBounds) {
    CoreOptions options;
    options.uncommitted_max = 3;
    options.reads_max = 2;
    Alone leader("a", with_log(1, {}), options);
    leader.lead();
    EXPECT_EQ(leader.core.propose(bytes_of("x")).error().code, Errc::not_ready);
    leader.say("b", 2, AppendReply{.accepted = true, .match = LogIndex(1)});
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(leader.core.propose(bytes_of("x")).has_value());
    }
    EXPECT_EQ(leader.core.propose(bytes_of("x")).error().code, Errc::over_limit);
    EXPECT_TRUE(leader.core.read_barrier(Ticket(1)).has_value());
    EXPECT_TRUE(leader.core.read_barrier(Ticket(2)).has_value());
    EXPECT_EQ(leader.core.read_barrier(Ticket(3)).error().code, Errc::over_limit);
}

TEST(RaftCore, SendsNoMoreThanItsWindow) {
    CoreOptions options;
    options.append_entries_max = 1;
    options.window = {.messages_max = 2, .bytes_max = 1 << 20};
    Alone leader("a", with_log(1, {}), options);
    leader.lead();
    leader.say("b", 2, AppendReply{.accepted = true, .match = LogIndex(1)});
    leader.sent.clear();
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(leader.core.propose(bytes_of("x")).has_value());
    }
    leader.settle();
    const auto to_b = std::count_if(leader.sent.begin(), leader.sent.end(),
                                    [](const Message& m) { return m.to == NodeId("b"); });
    EXPECT_EQ(to_b, 2);
}

TEST(RaftCore, AsksForASnapshotBehindAFullWindow) {
    CoreOptions options;
    options.append_entries_max = 1;
    options.window = {.messages_max = 2, .bytes_max = 1 << 20};
    options.trailing_bytes = 0;
    Alone leader("a", with_log(1, {}), options);
    leader.lead();
    leader.say("b", 2, AppendReply{.accepted = true, .match = LogIndex(1)});
    leader.say("c", 2, AppendReply{.accepted = true, .match = LogIndex(1)});
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(leader.core.propose(bytes_of("x")).has_value());
    }
    leader.settle();
    for (std::uint64_t match = 2; match <= 11; ++match) {
        leader.say("b", 2, AppendReply{.accepted = true, .match = LogIndex(match)});
    }
    ASSERT_EQ(leader.core.applied(), LogIndex(11));
    leader.core.take_snapshot(
        {.index = LogIndex(11), .term = Term(2), .payload = bytes_of("state")}, "file");
    leader.settle();
    ASSERT_EQ(leader.core.log().base(), LogIndex(11));
    EXPECT_EQ(leader.core.followers().at(NodeId("c")).state(), Progress::State::snapshot);
    ASSERT_NE(leader.last<SnapshotChunk>(), nullptr);
    // All of it was there, and the follower lost it before it was durable.
    leader.say("c", 2, SnapshotReply{.index = LogIndex(11), .offset = 5});
    leader.elapse(CoreTimer::heartbeat);
    leader.sent.clear();
    leader.elapse(CoreTimer::heartbeat);
    ASSERT_NE(leader.last<SnapshotChunk>(), nullptr);
    EXPECT_EQ(leader.last<SnapshotChunk>()->offset, 0U);
}

TEST(RaftCore, DropsMessagesThatAreNotForItOrFromTwoLeaders) {
    Alone node("b", with_log(1, {}));
    node.core.receive(
        {.from = NodeId("a"), .to = NodeId("z"), .term = Term(4), .body = TimeoutNow{}});
    EXPECT_EQ(node.core.term(), Term(1));
    node.say("a", 1, AppendRequest{});
    node.say("c", 1, AppendRequest{});
    EXPECT_EQ(node.core.leader(), NodeId("a"));
}

}  // namespace
}  // namespace muster::raft
