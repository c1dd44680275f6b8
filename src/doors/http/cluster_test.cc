// What operators see of the cluster.
#include <gmock/gmock.h>

#include "doors/http/door_fixture.h"

namespace muster::http {
namespace {

using msg::OperatorRequest;

class ClusterRoutes : public DoorTest {
protected:
    // The answer to a request that the metas answer with `reply`.
    Reply ask_metas(std::string_view method, std::string_view target,
                    const msg::OperatorReply& reply) {
        const env::ConnId conn = connect();
        send(conn, request(method, target));
        EXPECT_EQ(take(conn), "");
        cluster.answer(reply);
        advance(Duration{});
        return take_answer(conn);
    }

    static msg::OperatorReply report_of(msg::ClusterReport report) {
        return {.result = {},
                .report = std::make_shared<const msg::ClusterReport>(std::move(report))};
    }
};

TEST_F(ClusterRoutes, TellTheMembers) {
    msg::ClusterReport report{.leader = NodeId("m2"), .term = 7};
    report.metas = {NodeId("m1"), NodeId("m2")};
    report.members_epoch = 4;
    report.members.push_back({.member = {.node = NodeId("d1"),
                                         .role = Role::data,
                                         .address = "",
                                         .incarnation = Incarnation(9),
                                         .peer_address = "127.0.0.1:9620",
                                         .zone = "z"},
                              .silent_ms = 12,
                              .slots_led = 3,
                              .slots_followed = 2});
    const Reply answer = ask_metas("GET", "/api/v1/cluster/members", report_of(report));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body,
              R"({"leader":"m2","term":"7","metas":["m1","m2"],"epoch":"4","members":[)"
              R"({"node":"d1","role":"data","state":"live","address":"",)"
              R"("peer_address":"127.0.0.1:9620","zone":"z","incarnation":"9","silent_ms":12,)"
              R"("slots_led":3,"slots_followed":2,"clients":0}]})");
    EXPECT_TRUE(std::holds_alternative<OperatorRequest::ReportCluster>(cluster.asked.at(0)));
}

TEST_F(ClusterRoutes, TellTheSlotsWithTheirCopiesAndWishes) {
    msg::ClusterReport report{.leader = NodeId("m1"), .term = 1};
    report.table = {
        .epoch = Epoch(5),
        .slots = {{.leader = NodeId("d1"), .followers = {NodeId("d2")}, .epoch = Epoch(3)}}};
    report.copies = {
        {.node = NodeId("d2"),
         .state = {.slot = SlotId(0), .held = {.epoch = Epoch(3), .number = 8}, .synced = true}}};
    report.placement = msg::ClusterReport::Placement::stopped;
    report.protected_why = "an operator stopped it";
    report.wishes = {{SlotId(0), NodeId("d2")}};
    const Reply answer = ask_metas("GET", "/api/v1/cluster/slots", report_of(report));
    EXPECT_EQ(answer.body,
              R"({"leader":"m1","term":"1","metas":[],"epoch":"5","placement":"stopped",)"
              R"("held_because":"an operator stopped it","moving":0,"slots":[)"
              R"({"slot":0,"leader":"d1","epoch":"3","followers":["d2"],"copies":[)"
              R"({"node":"d2","epoch":"3","position":"8","synced":true}],"moves_to":"d2"}]})");
}

TEST_F(ClusterRoutes, PassOnWhatAnOperatorWants) {
    const msg::OperatorReply done{.result = {}, .report = nullptr};
    EXPECT_EQ(ask_metas("PUT", "/api/v1/cluster/slots/17/leader?to=d2", done).body,
              R"({"done":true})");
    const auto move = std::get<OperatorRequest::MoveSlot>(cluster.asked.back());
    EXPECT_EQ(move.slot, SlotId(17));
    EXPECT_EQ(move.to, NodeId("d2"));
    EXPECT_EQ(ask_metas("PUT", "/api/v1/cluster/placement/stopped", done).status, 200);
    EXPECT_TRUE(std::holds_alternative<OperatorRequest::StopPlacement>(cluster.asked.back()));
    EXPECT_EQ(ask_metas("PUT", "/api/v1/cluster/placement/automatic", done).status, 200);
    EXPECT_TRUE(std::holds_alternative<OperatorRequest::StartPlacement>(cluster.asked.back()));
    EXPECT_EQ(ask_metas("PUT", "/api/v1/cluster/placement/forced", done).status, 200);
    EXPECT_TRUE(std::holds_alternative<OperatorRequest::ForcePlacement>(cluster.asked.back()));
    EXPECT_EQ(ask_metas("DELETE", "/api/v1/cluster/members/d9?role=session", done).status, 200);
    const auto remove = std::get<OperatorRequest::RemoveMember>(cluster.asked.back());
    EXPECT_EQ(remove.node, NodeId("d9"));
    EXPECT_EQ(remove.role, Role::session);
}

TEST_F(ClusterRoutes, RefuseWhatMakesNoSense) {
    for (const auto* target :
         {"/api/v1/cluster/slots/x/leader?to=d2", "/api/v1/cluster/slots/65536/leader?to=d2",
          "/api/v1/cluster/slots/1/leader", "/api/v1/cluster/placement/maybe"}) {
        EXPECT_EQ(ask("PUT", target).status, 400) << target;
    }
    EXPECT_EQ(ask("DELETE", "/api/v1/cluster/members/d9?role=meta").status, 400);
    EXPECT_TRUE(cluster.asked.empty());
}

TEST_F(ClusterRoutes, SayWhatTheMetasRefuseAndThatTheyAreSilent) {
    const Reply refused =
        ask_metas("DELETE", "/api/v1/cluster/members/d1?role=data",
                  {.result = fail(Errc::conflict, "d1 is alive"), .report = nullptr});
    EXPECT_EQ(refused.status, 409);
    EXPECT_THAT(refused.body, testing::HasSubstr("d1 is alive"));
    const env::ConnId conn = connect();
    send(conn, request("GET", "/api/v1/cluster/slots"));
    advance(std::chrono::seconds(5));
    EXPECT_EQ(take_answer(conn).status, 504);
}

class BrakeRoutes : public ClusterRoutes {
protected:
    Reply ask_all(std::string_view method, std::string_view target, const BrakeOutcome& outcome) {
        const env::ConnId conn = connect();
        send(conn, request(method, target));
        EXPECT_EQ(take(conn), "");
        cluster.answer(outcome);
        advance(Duration{});
        return take_answer(conn);
    }
};

TEST_F(BrakeRoutes, TellWhatIsHeldAndWho) {
    const BrakeOutcome outcome{
        .lines = {{.scope = msg::BrakeScope::service,
                   .name = "orders#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP",
                   .node = NodeId("d1"),
                   .braking = true,
                   .held = 12,
                   .why = "20 of 30 publications closed or fell silent within 10 s",
                   .age_ms = 1500,
                   .left_ms = 58'500}},
        .silent = {"metas"}};
    const Reply answer = ask_all("GET", "/api/v1/brake", outcome);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body,
              R"({"brakes":[{"scope":"service","name":"DEFAULT_INSTANCE_ID/DEFAULT_GROUP/orders",)"
              R"("node":"d1","braking":true,"held":12,"why":"20 of 30 publications closed or fell )"
              R"(silent within 10 s","since_ms":1500,"goes_in_ms":58500}],"more":false,)"
              R"("silent":["metas"]})");
}

TEST_F(BrakeRoutes, PassOnWhatAnOperatorDecides) {
    const BrakeOutcome done{.brakes = 1, .publications = 80};
    const Reply answer = ask_all("POST", "/api/v1/brake/confirm?scope=session&name=s1", done);
    EXPECT_EQ(answer.body, R"({"brakes":1,"publications":80,"silent":[]})");
    EXPECT_EQ(cluster.wishes.back().action, msg::BrakeRequest::Action::confirm);
    EXPECT_EQ(cluster.wishes.back().name, "s1");
    ask_all("POST", "/api/v1/brake/release?scope=service&name=orders", done);
    EXPECT_EQ(cluster.wishes.back().action, msg::BrakeRequest::Action::release);
    EXPECT_EQ(cluster.wishes.back().scope, msg::BrakeScope::service);
    EXPECT_EQ(cluster.wishes.back().name, "orders#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP");
    ask_all("POST", "/api/v1/brake/release?scope=cluster", done);
    EXPECT_EQ(cluster.wishes.back().scope, msg::BrakeScope::cluster);
    EXPECT_EQ(ask_all("POST", "/api/v1/brake/confirm?scope=session&name=s1", {}).status, 404);
    EXPECT_EQ(
        ask_all("POST", "/api/v1/brake/confirm?scope=session&name=s1", {.silent = {"d1"}}).status,
        504);
}

TEST_F(BrakeRoutes, RefuseWhatMakesNoSense) {
    for (const auto* target : {"/api/v1/brake/confirm", "/api/v1/brake/confirm?scope=node&name=x",
                               "/api/v1/brake/confirm?scope=session",
                               "/api/v1/brake/release?scope=service&name=a%23@%23b"}) {
        EXPECT_EQ(ask("POST", target).status, 400) << target;
    }
    EXPECT_TRUE(cluster.wishes.empty());
}

class OperatorsOnly : public DoorTest {
protected:
    OperatorsOnly() : DoorTest(HttpDoorOptions{.operators_only = true}) {}
};

TEST_F(OperatorsOnly, NoClientIsServed) {
    EXPECT_EQ(ask("GET", "/health/ready").status, 200);
    EXPECT_EQ(ask("GET", "/metrics").status, 200);
    EXPECT_EQ(ask("GET", "/api/v1/services").status, 404);
    EXPECT_EQ(ask("GET", "/api/servers/query").status, 404);
    EXPECT_TRUE(session.clients.empty());
}

}  // namespace
}  // namespace muster::http
