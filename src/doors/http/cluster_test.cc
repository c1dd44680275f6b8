// What operators see of the cluster.
#include <gmock/gmock.h>

#include "doors/http/door_fixture.h"

namespace muster::http {
namespace {

using msg::OperatorRequest;

class ClusterRoutes : public DoorTest {
protected:
    // The answer to a request that the metas answer with `reply`.
    Reply ask_metas(std::string_view method, std::string_view target, const ClusterAnswer& reply) {
        const env::ConnId conn = connect();
        send(conn, request(method, target));
        EXPECT_EQ(take(conn), "");
        cluster.answer(reply);
        advance(Duration{});
        return take_answer(conn);
    }

    static ClusterAnswer report_of(msg::ClusterReport report) {
        return {.result = {},
                .report = std::make_shared<const msg::ClusterReport>(std::move(report)),
                .stale = {}};
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
                              .slots_followed = 2,
                              .clients = 5});
    const Reply answer = ask_metas("GET", "/api/v1/cluster/members", report_of(report));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(
        answer.body,
        R"({"leader":"m2","term":"7","metas":["m1","m2"],"stale":false,"epoch":"4","members":[)"
        R"({"node":"d1","role":"data","state":"live","address":"",)"
        R"("peer_address":"127.0.0.1:9620","zone":"z","incarnation":"9","silent_ms":12,)"
        R"("slots_led":3,"slots_followed":2,"clients":5}]})");
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
    EXPECT_EQ(
        answer.body,
        R"({"leader":"m1","term":"1","metas":[],"stale":false,"epoch":"5","placement":"stopped",)"
        R"("held_because":"an operator stopped it","moving":0,"slots":[)"
        R"({"slot":0,"leader":"d1","epoch":"3","followers":["d2"],"copies":[)"
        R"({"node":"d2","epoch":"3","position":"8","synced":true}],"moves_to":"d2"}]})");
}

TEST_F(ClusterRoutes, PassOnWhatAnOperatorWants) {
    const ClusterAnswer done{.result = {}, .report = nullptr, .stale = {}};
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
    const auto meta = ask("DELETE", "/api/v1/cluster/members/m1?role=meta");
    EXPECT_EQ(meta.status, 400);
    EXPECT_NE(meta.body.find("a meta is not removed. Start it again"), std::string::npos);
    EXPECT_EQ(ask("DELETE", "/api/v1/cluster/members/d9?role=host").status, 400);
    EXPECT_TRUE(cluster.asked.empty());
}

TEST_F(ClusterRoutes, SayWhatTheMetasRefuseAndThatTheyAreSilent) {
    const Reply refused =
        ask_metas("DELETE", "/api/v1/cluster/members/d1?role=data",
                  {.result = fail(Errc::conflict, "d1 is alive"), .report = nullptr, .stale = {}});
    EXPECT_EQ(refused.status, 409);
    EXPECT_THAT(refused.body, testing::HasSubstr("d1 is alive"));
    const env::ConnId conn = connect();
    send(conn, request("GET", "/api/v1/cluster/slots"));
    advance(std::chrono::seconds(5));
    EXPECT_EQ(take_answer(conn).status, 504);
}

TEST_F(ClusterRoutes, MarkWhatIsOnlyRemembered) {
    ClusterAnswer last = report_of({.members_epoch = 4});
    last.stale = {.told_by = NodeId("s1"), .age = std::chrono::seconds(12)};
    EXPECT_EQ(ask_metas("GET", "/api/v1/cluster/members", last).body,
              R"({"leader":"","term":"0","metas":[],"stale":true,"told_by":"s1","age_ms":12000,)"
              R"("epoch":"4","members":[]})");
    last.stale->age.reset();
    EXPECT_THAT(
        ask_metas("GET", "/api/v1/cluster/slots", last).body,
        testing::HasSubstr(R"("stale":true,"told_by":"s1","epoch":"0","placement":"unknown",)"));
}

class VerifyRoute : public DoorTest {
protected:
    Reply verify(const Result<verify::Report>& report) {
        const env::ConnId conn = connect();
        send(conn, request("GET", "/api/v1/cluster/verify"));
        EXPECT_EQ(take(conn), "");
        cluster.answer(report);
        advance(Duration{});
        return take_answer(conn);
    }
};

TEST_F(VerifyRoute, TellsWhatWasComparedAndWhatDiffers) {
    using Kind = verify::Finding::Kind;
    verify::Report report{.table_epoch = Epoch(5),
                          .slots = 2,
                          .slots_equal = 1,
                          .copies = 4,
                          .copies_equal = 3,
                          .sessions = 1,
                          .publications = 9,
                          .rounds = 6,
                          .took = std::chrono::milliseconds(800)};
    report.differences.push_back({.kind = Kind::copy_differs,
                                  .slot = SlotId(1),
                                  .leader = NodeId("d1"),
                                  .node = NodeId("d2"),
                                  .leader_has = 4,
                                  .node_has = 5,
                                  .service = "orders#@#t#@#g",
                                  .publication = "p1"});
    report.open.push_back({.kind = Kind::behind,
                           .slot = SlotId(0),
                           .leader = NodeId("d1"),
                           .node = NodeId("d3"),
                           .lacks = 7});
    report.silent.push_back({NodeId("s2"), Role::session});
    const Reply answer = verify(report);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(
        answer.body,
        R"({"result":"different","table_epoch":"5","slots":2,"slots_equal":1,"copies":4,)"
        R"("copies_equal":3,"sessions":1,"publications":9,"orphans":0,"held_back":0,"rounds":6,)"
        R"("took_ms":800,"differences":[{"kind":"copy_differs","slot":1,"leader":"d1","node":"d2",)"
        R"("leader_has":4,"node_has":5,"service":"t/g/orders","publication":"p1",)"
        R"("what":"slot 1: d2 holds 5 publications and its leader d1 held 4, or others, at the )"
        R"(same place of its log; the first is publication p1 of service t/g/orders",)"
        R"("do":"ask again in a minute: d2 compares its copies with their leaders' in turn and )"
        R"(takes anew what differs; restart it if that does not help"}],)"
        R"("not_compared":[{"kind":"behind","slot":0,"leader":"d1","node":"d3","lacks":7,)"
        R"("what":"slot 0: d3 is 7 changes behind d1","do":"ask again when less is changing"}],)"
        R"("more":false,"silent":[{"node":"s2","role":"session"}]})");
    EXPECT_EQ(cluster.verifications, 1U);
}

TEST_F(VerifyRoute, SaysWhyItIsRefused) {
    const Reply answer = verify(fail(Errc::busy, "4 verifications run here already"));
    EXPECT_EQ(answer.status, 503);
    EXPECT_THAT(answer.body, testing::HasSubstr("4 verifications run here already"));
    const env::ConnId conn = connect();
    send(conn, request("GET", "/api/v1/cluster/verify"));
    advance(ClusterFace::kVerifyMax + std::chrono::seconds(1));
    EXPECT_EQ(take_answer(conn).status, 504);
}

class PropagationRoute : public DoorTest {
protected:
    Reply answered(std::string_view target, const Result<propagation::Report>& report) {
        const env::ConnId conn = connect();
        send(conn, request("GET", target));
        EXPECT_EQ(take(conn), "");
        cluster.answer(report);
        advance(Duration{});
        return take_answer(conn);
    }
    const ServicePtr service = std::make_shared<const Service>(Service{.data_id = "orders"});
};

TEST_F(PropagationRoute, TellsWhoHasWhat) {
    propagation::Report report{.service = service,
                               .leader = NodeId("d1"),
                               .version = Version(9),
                               .settled = true,
                               .publications = 3,
                               .sessions = {{.node = NodeId("s1"),
                                             .version = Version(9),
                                             .complete = true,
                                             .lists = 2,
                                             .behind = 1,
                                             .congested = 1}},
                               .lists = 2,
                               .behind = 1,
                               .congested = 1,
                               .more = true,
                               .silent = {{NodeId("s2"), Role::session}}};
    report.lines.push_back({NodeId("s1"),
                            {.client_address = "10.0.0.1:4711",
                             .door = "native",
                             .app = "shop",
                             .scope = Scope::zone,
                             .zone = "a",
                             .subscriptions = 1,
                             .acknowledged = Version(7),
                             .in_flight = Version(9),
                             .behind = true,
                             .congested = true,
                             .changes = 2,
                             .behind_ms = 1500}});
    const Reply answer = answered("/api/v1/propagation?service=orders&limit=1", report);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body,
              R"({"service":"DEFAULT_INSTANCE_ID/DEFAULT_GROUP/orders","leader":"d1",)"
              R"("version":"9","settled":true,"instances":3,"drained":0,"subscribers":2,)"
              R"("behind":1,"congested":1,"sessions":[{"node":"s1","version":"9",)"
              R"("complete":true,"subscribers":2,"behind":1,"congested":1}],)"
              R"("lists":[{"client_address":"10.0.0.1:4711","session":"s1","door":"native",)"
              R"("app":"shop","scope":"zone","zone":"a","subscriptions":1,"acknowledged":"7",)"
              R"("in_flight":"9","behind":true,"changes_behind":2,"behind_ms":1500,)"
              R"("congested":true}],"more":true,"silent":[{"node":"s2","role":"session"}]})");
    ASSERT_EQ(cluster.propagations.size(), 1U);
    EXPECT_EQ(cluster.propagations[0].service->data_id, "orders");
    EXPECT_EQ(cluster.propagations[0].limit, 1U);
}

TEST_F(PropagationRoute, HasAServiceMeasured) {
    propagation::Report report{.service = service, .measured_ms = 1500};
    propagation::Report::StageSum sum{
        .stage = Stage::push_to_ack, .count = 4, .sum_us = 4400, .max_us = 1900, .below_zero = 1};
    sum.counts.at(2) = 4;
    report.stages.push_back(sum);
    const env::ConnId conn = connect();
    send(conn, request("POST", "/api/v1/services/t/g/orders/propagation?for=2m"));
    EXPECT_EQ(take(conn), "");
    cluster.answer(Result<propagation::Report>(report));
    advance(Duration{});
    const Reply answer = take_answer(conn);
    EXPECT_EQ(answer.status, 200);
    EXPECT_THAT(answer.body,
                testing::HasSubstr(R"("measured_ms":1500,"stages":[{"stage":"push_to_ack",)"
                                   R"("count":4,"p50_us":1500,"p99_us":1900,"max_us":1900,)"
                                   R"("mean_us":1100,"below_zero":1}]})"));
    ASSERT_EQ(cluster.propagations.size(), 1U);
    EXPECT_EQ(cluster.propagations[0].measure, std::chrono::minutes(2));
    EXPECT_EQ(ask("POST", "/api/v1/propagation?service=orders&for=2h").status, 400);
}

TEST_F(PropagationRoute, RefusesWhatItCannotAsk) {
    EXPECT_EQ(ask("GET", "/api/v1/propagation").status, 400);
    const Reply answer = ask("GET", "/api/v1/propagation?service=orders&limit=1001");
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(answer.body, testing::HasSubstr("limit is a number from 1 to 1000, not '1001'"));
    EXPECT_TRUE(cluster.propagations.empty());
    EXPECT_EQ(answered("/api/v1/services/t/g/orders/propagation", fail(Errc::busy, "16")).status,
              503);
}

class HistoryRoute : public DoorTest {
protected:
    Reply answered(std::string_view target, const Result<propagation::HistoryReport>& report) {
        const env::ConnId conn = connect();
        send(conn, request("GET", target));
        EXPECT_EQ(take(conn), "");
        cluster.answer(report);
        advance(Duration{});
        return take_answer(conn);
    }
    const ServicePtr service = std::make_shared<const Service>(Service{.data_id = "orders"});
};

TEST_F(HistoryRoute, TellsWhatBecameOfIt) {
    propagation::HistoryReport report{
        .service = service,
        .lines = {},
        .more = true,
        .nodes = {{.node = NodeId("d1"), .reaches_ms = 1'700'000'000'001, .refused = {}},
                  {.node = NodeId("d2"), .reaches_ms = 0, .refused = "off"}},
        .lost = {{NodeId("d1"), {.from_ms = 0, .to_ms = 999, .records = 3}}},
        .silent = {NodeId("d3")}};
    report.lines.push_back({NodeId("d1"),
                            {.at_ms = 1'700'000'000'123,
                             .slot = SlotId(16),
                             .what = HistoryRecord::What::removed,
                             .why = HistoryRecord::Why::session_ended,
                             .cause = RemovalCause::silent,
                             .id = RegistId("p"),
                             .client_address = "10.0.0.1:4711",
                             .addresses = {"10.0.0.1:80"},
                             .by = NodeId("s1"),
                             .version = Version(9)}});
    report.lines.push_back({NodeId("d1"), {.at_ms = -5, .slot = {}, .id = {}, .by = {}}});
    report.lines.push_back({NodeId("d1"),
                            {.slot = {},
                             .what = HistoryRecord::What::drained,
                             .why = HistoryRecord::Why::marked,
                             .id = {},
                             .by = NodeId("s1"),
                             .asked_by = "ana@ops1"}});
    const Reply answer = answered(
        "/api/v1/history?service=orders&limit=2&address=10.0.0.1:80&since=24h&until=2h", report);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body,
              R"({"service":"DEFAULT_INSTANCE_ID/DEFAULT_GROUP/orders","records":[)"
              R"({"at":"2023-11-14T22:13:20.123Z","at_ms":1700000000123,"what":"removed",)"
              R"("cause":"silent","reason":"session_ended",)"
              R"("why":"its session ended, and its client came to no other","by":"s1",)"
              R"("addresses":["10.0.0.1:80"],"client_address":"10.0.0.1:4711","id":"p",)"
              R"("slot":16,"version":"9","noted_by":"d1"},)"
              R"({"at":"1970-01-01T00:00:00.000Z","at_ms":-5,"what":"registered",)"
              R"("reason":"said","why":"its client said so","addresses":[],)"
              R"("client_address":"","id":"","slot":0,"noted_by":"d1"},)"
              R"({"at":"1970-01-01T00:00:00.000Z","at_ms":0,"what":"drained",)"
              R"("reason":"marked","why":"ana@ops1 asked at s1","by":"s1","asked_by":"ana@ops1",)"
              R"("addresses":[],"client_address":"","id":"","slot":0,"noted_by":"d1"}],)"
              R"("more":true,)"
              R"("nodes":[{"node":"d1","since":"2023-11-14T22:13:20.001Z",)"
              R"("since_ms":1700000000001},{"node":"d2","refused":"off"}],)"
              R"("lost":[{"node":"d1","from":"1970-01-01T00:00:00.000Z",)"
              R"("to":"1970-01-01T00:00:00.999Z","records":3}],"silent":["d3"]})");
    ASSERT_EQ(cluster.histories.size(), 1U);
    EXPECT_EQ(cluster.histories[0].service->data_id, "orders");
    EXPECT_EQ(cluster.histories[0].address, "10.0.0.1:80");
    EXPECT_EQ(cluster.histories[0].since, std::chrono::hours(24));
    EXPECT_EQ(cluster.histories[0].until, std::chrono::hours(2));
    EXPECT_EQ(cluster.histories[0].limit, 2U);
}

TEST_F(HistoryRoute, RefusesWhatItCannotAsk) {
    EXPECT_EQ(ask("GET", "/api/v1/history").status, 400);
    for (const char* wrong : {"limit=0", "limit=1001", "address=nowhere", "since=soon",
                              "since=9000h", "address=tcp://10.0.0.1:80"}) {
        const Reply answer = ask("GET", std::string("/api/v1/history?service=orders&") + wrong);
        EXPECT_EQ(answer.status, 400) << wrong;
    }
    EXPECT_TRUE(cluster.histories.empty());
    EXPECT_EQ(answered("/api/v1/services/t/g/orders/history", fail(Errc::busy, "16")).status, 503);
}

class DrainRoutes : public DoorTest {
protected:
    Reply answered(std::string_view target, const Result<propagation::DrainReport>& report) {
        const env::ConnId conn = connect();
        send(conn, request("POST", target));
        EXPECT_EQ(take(conn), "");
        cluster.answer(report);
        advance(Duration{});
        return take_answer(conn);
    }
    static propagation::DrainReport report(bool confirmed) {
        propagation::DrainReport made{.ids = {RegistId("p")},
                                      .changed = 1,
                                      .others = 4,
                                      .confirmed = confirmed,
                                      .copies = 2,
                                      .lacking = {NodeId("d3")},
                                      .waited = std::chrono::milliseconds(20)};
        made.who.version = Version(9);
        made.who.lists = 3;
        return made;
    }
};

TEST_F(DrainRoutes, SayWhenItIsInNobodysList) {
    const Reply answer =
        answered("/api/v1/drain?service=orders&address=10.0.0.1:80&by=ana%40ops1", report(true));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body,
              R"({"service":"DEFAULT_INSTANCE_ID/DEFAULT_GROUP/orders","address":"10.0.0.1:80",)"
              R"("version":"9","instances":1,"changed":1,"others":4,"copies":2,"lacking":["d3"],)"
              R"("drained":true,"gone":false,"waited_ms":20,"subscribers":3,"unconfirmed":0,)"
              R"("lists":[],"more":false,"silent":[]})");
    ASSERT_EQ(cluster.marks.size(), 1U);
    EXPECT_EQ(cluster.marks[0].kind, Mark::Kind::drained);
    EXPECT_EQ(cluster.marks[0].address, "10.0.0.1:80");
    EXPECT_EQ(cluster.marks[0].timeout, std::chrono::seconds(30));
    EXPECT_EQ(cluster.marks[0].asked_by, "ana@ops1");
}

TEST_F(DrainRoutes, NameWhoHasNotAcknowledgedInAnErrorThatTellsMore) {
    propagation::DrainReport late = report(false);
    late.who.behind = 1;
    late.who.silent = {{NodeId("s2"), Role::session}};
    late.who.lines.push_back({NodeId("s1"), {.client_address = "10.0.0.9:4711", .behind = true}});
    const Reply answer =
        answered("/api/v1/drain?service=orders&address=10.0.0.1:80&timeout=2s", late);
    EXPECT_EQ(answer.status, 504);
    EXPECT_THAT(answer.body, testing::HasSubstr(R"({"error":{"code":"timeout",)"));
    EXPECT_THAT(answer.body,
                testing::HasSubstr("1 of 3 subscribers have not acknowledged a list without "
                                   "10.0.0.1:80, s2 did not answer."));
    EXPECT_THAT(answer.body, testing::HasSubstr(R"("client_address":"10.0.0.9:4711")"));
    EXPECT_EQ(cluster.marks[0].timeout, std::chrono::seconds(2));
}

TEST_F(DrainRoutes, RestoreWithARampAndSayWhyNot) {
    const Reply answer =
        answered("/api/v1/services/t/g/orders/restore?address=10.0.0.1:80&ramp=5s", report(false));
    EXPECT_EQ(answer.status, 200);
    EXPECT_THAT(answer.body,
                testing::HasSubstr(R"("others":4,"copies":2,"lacking":["d3"],"ramp_ms":5000})"));
    EXPECT_EQ(cluster.marks[0].kind, Mark::Kind::restored);
    EXPECT_EQ(cluster.marks[0].ramp, std::chrono::seconds(5));
    EXPECT_EQ(answered("/api/v1/restore?service=orders&address=10.0.0.1:80",
                       fail(Errc::not_found, "it is not drained"))
                  .status,
              404);
}

TEST_F(DrainRoutes, RefuseWhatMeansNothing) {
    for (const auto* query :
         {"address=10.0.0.1:80", "service=orders", "service=orders&address=here",
          "service=orders&address=http://10.0.0.1:80", "service=orders&address=1.1.1.1:99999",
          "service=orders&address=10.0.0.1:80&timeout=11m",
          "service=orders&address=10.0.0.1:80&timeout=-1",
          "service=orders&address=10.0.0.1:80&limit=0"}) {
        EXPECT_EQ(ask("POST", std::string("/api/v1/drain?") + query).status, 400) << query;
    }
    EXPECT_EQ(ask("POST", "/api/v1/restore?service=orders&address=10.0.0.1:80&ramp=61m").status,
              400);
    EXPECT_EQ(ask("GET", "/api/v1/drain?service=orders&address=10.0.0.1:80").status, 405);
    for (const auto& [name, why] : std::vector<std::pair<std::string, const char*>>{
             {std::string(65, 'x'), "by: expected a name of at most 64 bytes, got 65 bytes"},
             {"a%0Ab", "got a character that cannot be shown at byte 1"},
             {"%FF", "got what is no UTF-8 at byte 0"}}) {
        const Reply refused =
            ask("POST", "/api/v1/drain?service=orders&address=10.0.0.1:80&by=" + name);
        EXPECT_EQ(refused.status, 400) << name;
        EXPECT_THAT(refused.body, testing::HasSubstr(why));
        EXPECT_EQ(ask("POST", "/api/v1/brake/confirm?scope=cluster&by=" + name).status, 400);
    }
    EXPECT_TRUE(cluster.marks.empty());
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
    const Reply answer =
        ask_all("POST", "/api/v1/brake/confirm?scope=session&name=s1&by=An%C3%A9", done);
    EXPECT_EQ(answer.body, R"({"brakes":1,"publications":80,"silent":[]})");
    EXPECT_EQ(cluster.wishes.back().action, msg::BrakeRequest::Action::confirm);
    EXPECT_EQ(cluster.wishes.back().name, "s1");
    EXPECT_EQ(cluster.wishes.back().asked_by, "An\xc3\xa9");
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
