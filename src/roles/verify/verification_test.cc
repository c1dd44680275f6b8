#include "roles/verify/verification.h"

#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/publication.h"

namespace muster::verify {
namespace {

using namespace std::chrono_literals;
using Kind = Finding::Kind;

// What one holder says, whatever is asked: publications by service, at a position.
struct Holder {
    std::map<std::string, std::set<std::string>> services;
    std::uint64_t position = 1;
    bool answers = true;

    [[nodiscard]] SetDigest digest() const {
        SetDigest digest;
        for (const auto& [service, ids] : services) {
            for (const std::string& id : ids) {
                digest.add(digest_of(RegistId(id), {.version = 1, .timestamp_ms = 1}));
            }
        }
        return digest;
    }
    [[nodiscard]] std::uint32_t count() const {
        std::size_t count = 0;
        for (const auto& [service, ids] : services) {
            count += ids.size();
        }
        return static_cast<std::uint32_t>(count);
    }
    [[nodiscard]] msg::VerifyDetail detail(const msg::VerifyRequest::Detail& wish) const {
        msg::VerifyDetail detail;
        for (const auto& [service, ids] : services) {
            const Holder one{.services = {{service, ids}}};
            if (wish.service.empty()) {
                detail.lines.push_back({service, one.digest(), one.count()});
            } else if (wish.service == service) {
                for (const std::string& id : ids) {
                    const Holder just{.services = {{service, {id}}}};
                    detail.lines.push_back({id, just.digest(), 1});
                }
            }
        }
        return detail;
    }
};

// One slot of leader d1 and followers d2, d3; sessions s1 and s2, whose publications are all the
// leader's. The test asks at s1, which has links to data servers only.
class Verifying : public testing::Test, public msg::Outbox {
protected:
    Verifying() {
        for (const char* name : {"d1", "d2", "d3"}) {
            known.members.push_back({.node = NodeId(name), .role = Role::data});
            data[NodeId(name)].services = {{"orders", {"a", "b"}}, {"stock", {"c"}}};
        }
        known.members.push_back({.node = NodeId("s1"), .role = Role::session});
        known.members.push_back({.node = NodeId("s2"), .role = Role::session});
        sessions[NodeId("s1")].services = {{"orders", {"a", "b"}}};
        sessions[NodeId("s2")].services = {{"stock", {"c"}}};
        known.table = {.epoch = Epoch(2),
                       .slots = {{.leader = NodeId("d1"),
                                  .followers = {NodeId("d2"), NodeId("d3")},
                                  .epoch = Epoch(1)}}};
    }

    void send(const msg::RoleAddress& to, msg::ClusterMessage message) override {
        const auto& request = std::get<msg::VerifyRequest>(message);
        requests.emplace_back(to, request);
        const bool passed_on = request.session != NodeId{};
        if (to.role == Role::session && self.role == Role::session) {
            EXPECT_EQ(to.node, self.node) << "there is no link to another session";
        }
        if (passed_on && !data.at(to.node).answers) {
            return;
        }
        const NodeId who = passed_on ? request.session : to.node;
        if (to.role == Role::session || passed_on) {
            if (sessions.at(who).answers) {
                on_the_way.emplace_back(msg::RoleAddress{who, Role::session},
                                        session_reply(who, request));
            }
        } else if (data.at(who).answers) {
            on_the_way.emplace_back(to, data_reply(who, request));
        }
    }
    msg::VerifyReply data_reply(const NodeId& node, const msg::VerifyRequest& request) {
        const Holder& holder = data.at(node);
        msg::VerifyReply reply{.incarnation = request.incarnation,
                               .request = request.request,
                               .copies = {{.slot = SlotId(0),
                                           .slot_epoch = Epoch(1),
                                           .held = {Epoch(1), holder.position},
                                           .leads = node == NodeId("d1"),
                                           .whole = true,
                                           .digest = holder.digest(),
                                           .publications = holder.count(),
                                           .owners = {}}},
                               .detail = {}};
        if (node == NodeId("d1")) {
            for (const auto& [session, own] : leader_holds_of) {
                reply.copies[0].owners.push_back(
                    {session, Incarnation(4), own.digest(), own.count()});
            }
        }
        if (request.detail) {
            reply.detail = request.detail->owner == NodeId{}
                               ? holder.detail(*request.detail)
                               : leader_holds_of.at(request.detail->owner).detail(*request.detail);
        }
        return reply;
    }
    msg::VerifySessionReply session_reply(const NodeId& node, const msg::VerifyRequest& request) {
        const Holder& holder = sessions.at(node);
        msg::VerifySessionReply reply{.incarnation = request.incarnation,
                                      .request = request.request,
                                      .asker = request.asker,
                                      .asker_role = request.asker_role,
                                      .session = node,
                                      .life = Incarnation(4),
                                      .slots = {{.slot = SlotId(0),
                                                 .slot_epoch = Epoch(1),
                                                 .server = NodeId("d1"),
                                                 .digest = holder.digest(),
                                                 .count = holder.count()}},
                                      .detail = {}};
        if (request.detail) {
            reply.detail = holder.detail(*request.detail);
        }
        return reply;
    }

    // Runs to the end; `every_round` is called before each round but the first.
    Report run(const std::function<void()>& every_round = [] {}) {
        if (leader_holds_of.empty()) {
            leader_holds_of = sessions;
        }
        Verification op({.self = self, .life = Incarnation(9), .number = 3},
                        {.clock = time, .outbox = *this, .known = [this] { return known; }});
        op.begin();
        while (!op.done()) {
            if (on_the_way.empty()) {
                time.set(op.due());
                every_round();
                op.on_timer();
                continue;
            }
            const auto [from, message] = std::move(on_the_way.front());
            on_the_way.pop_front();
            if (const auto* reply = std::get_if<msg::VerifyReply>(&message)) {
                op.take(from, *reply);
            } else {
                op.take(std::get<msg::VerifySessionReply>(message));
            }
        }
        return op.report();
    }

    struct Clock final : env::Clock {
        [[nodiscard]] MonoTime mono() const override {
            return now;
        }
        [[nodiscard]] WallTime wall() const override {
            return {};
        }
        void set(MonoTime to) {
            EXPECT_GE(to, now);
            now = to;
        }
        MonoTime now = MonoTime{} + 1h;
    };

    Clock time;
    Known known;
    msg::RoleAddress self{NodeId("s1"), Role::session};
    std::map<NodeId, Holder> data;
    std::map<NodeId, Holder> sessions;
    std::map<NodeId, Holder> leader_holds_of;  // sessions
    std::vector<std::pair<msg::RoleAddress, msg::VerifyRequest>> requests;
    std::deque<std::pair<msg::RoleAddress, msg::ClusterMessage>> on_the_way;
};

TEST_F(Verifying, EndsAfterOneRoundWhenAllIsEqual) {
    const Report report = run();
    EXPECT_EQ(report.verdict(), Report::Verdict::equal);
    EXPECT_EQ(report.rounds, 1U);
    EXPECT_EQ(report.sessions, 2U);
    EXPECT_EQ(requests.size(), 5U);
    EXPECT_EQ(report.took, Duration::zero());
}

TEST_F(Verifying, NamesThePublicationThatDiffersBetweenCopies) {
    data[NodeId("d3")].services["stock"] = {"c", "ghost"};
    const Report report = run();
    ASSERT_EQ(report.differences.size(), 1U);
    EXPECT_EQ(report.differences[0].kind, Kind::copy_differs);
    EXPECT_EQ(report.differences[0].node, NodeId("d3"));
    EXPECT_EQ(report.differences[0].service, "stock");
    EXPECT_EQ(report.differences[0].publication, "ghost");
}

TEST_F(Verifying, NamesThePublicationALeaderLacksOfASession) {
    leader_holds_of = sessions;
    sessions[NodeId("s2")].services["stock"] = {"c", "lost"};
    const Report report = run();
    ASSERT_EQ(report.differences.size(), 1U);
    EXPECT_EQ(report.differences[0].kind, Kind::session_differs);
    EXPECT_EQ(report.differences[0].node, NodeId("s2"));
    EXPECT_EQ(report.differences[0].publication, "lost");
    EXPECT_EQ(report.rounds, static_cast<std::uint32_t>(Comparison::kSteady));
}

TEST_F(Verifying, NamesWhoDoesNotAnswerAndDoesNotWaitForThemTwice) {
    data[NodeId("d2")].answers = false;
    data[NodeId("d3")].position = 0;  // another round is needed
    const Report report = run([&] { data[NodeId("d3")].position = 1; });
    EXPECT_EQ(report.verdict(), Report::Verdict::incomplete);
    EXPECT_EQ(report.silent, std::vector{(msg::RoleAddress{NodeId("d2"), Role::data})});
    EXPECT_LT(report.took, 2 * VerificationOptions{}.patience);
    EXPECT_EQ(report.copies_equal, 2U);
}

TEST_F(Verifying, PassesARequestToASessionThroughAnotherDataServerWhenOneIsSilent) {
    data[NodeId("d1")].answers = false;
    run();
    std::set<NodeId> ways;
    for (const auto& [to, request] : requests) {
        if (request.session == NodeId("s2")) {
            ways.insert(to.node);
        }
    }
    EXPECT_GT(ways.size(), 1U);
}

TEST_F(Verifying, AsksSessionsItselfWhereItHasLinksToThem) {
    self = {NodeId("d1"), Role::data};
    EXPECT_EQ(run().verdict(), Report::Verdict::equal);
    for (const auto& [to, request] : requests) {
        EXPECT_EQ(request.session, NodeId{});
    }
}

TEST_F(Verifying, IgnoresAnswersToEarlierRoundsAndLives) {
    data[NodeId("d2")].position = 0;
    bool first = true;
    const Report report = run([&] {
        if (std::exchange(first, false)) {
            // Doubled answers of the round before, and one of another life.
            auto late = data_reply(NodeId("d2"), {.incarnation = Incarnation(9),
                                                  .request = requests.front().second.request,
                                                  .asker = {},
                                                  .session = {},
                                                  .slots = {},
                                                  .detail = {}});
            late.copies[0].digest = {};
            late.copies[0].held.number = 1;
            on_the_way.emplace_back(msg::RoleAddress{NodeId("d2"), Role::data}, late);
            late.incarnation = Incarnation(8);
            on_the_way.emplace_back(msg::RoleAddress{NodeId("d2"), Role::data}, late);
            data[NodeId("d2")].position = 1;
        }
    });
    EXPECT_EQ(report.verdict(), Report::Verdict::equal);
}

TEST_F(Verifying, SaysByHowMuchACopyIsBehindThatStaysSo) {
    data[NodeId("d1")].position = 20;
    data[NodeId("d2")].position = 20;
    data[NodeId("d3")].position = 8;
    const Report report = run();
    EXPECT_EQ(report.verdict(), Report::Verdict::incomplete);
    EXPECT_EQ(report.rounds, VerificationOptions{}.rounds_max);
    ASSERT_EQ(report.open.size(), 1U);
    EXPECT_EQ(sentence_of(report.open[0]), "slot 0: d3 is 12 changes behind d1");
}

TEST_F(Verifying, EndsInTimeWhateverDoesNotAnswer) {
    for (auto& [node, holder] : data) {
        holder.answers = false;
    }
    for (auto& [node, holder] : sessions) {
        holder.answers = false;
    }
    const Report report = run();
    EXPECT_EQ(report.silent.size(), 5U);
    EXPECT_EQ(report.open.front().kind, Kind::no_leader);
    EXPECT_LE(report.took, 5s);
}

}  // namespace
}  // namespace muster::verify
