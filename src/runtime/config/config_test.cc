#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/config/config_reader.h"
#include "runtime/config/server_config.h"

namespace muster::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string error_of(std::string_view yaml) {
    ServerConfig config;
    const ConfigTable table = server_config_table(config);
    const auto outcome = read_config_text(table, yaml, "muster.yaml");
    if (outcome) {
        return "no error";
    }
    EXPECT_EQ(outcome.error().code, Errc::bad_config);
    return outcome.error().detail;
}

std::string override_error(const std::string& assignment) {
    const auto loaded = load_server_config("", std::vector{assignment});
    return loaded ? "no error" : loaded.error().detail;
}

TEST(ServerConfig, HasDefaultsWithoutAFile) {
    const auto config = load_server_config("", {});
    ASSERT_TRUE(config.has_value());
    EXPECT_EQ(env::to_string(config->bolt.listen), "0.0.0.0:9600");
    EXPECT_EQ(config->http.listen.port, 9603);
    EXPECT_EQ(config->data_dir, "./muster-data");
    EXPECT_EQ(config->slots, 256U);
    EXPECT_EQ(config->roles.size(), 3U);
    EXPECT_FALSE(config->advertise.has_value());
}

TEST(ServerConfig, ReadsNestedAndDottedKeysOfEveryType) {
    ServerConfig config;
    const ConfigTable table = server_config_table(config);
    const auto read = read_config_text(table, R"(
# a comment
node_id: alpha
roles: [data, session]
advertise: "192.0.2.7:19600"
bolt:
  listen: '[::1]:0'
  frame_max: 4MiB
session: {write_wait: 50ms}
session.push_timeout: 2s
log:
  level: debug
  format: json
slots: 16
)",
                                       "muster.yaml");
    ASSERT_TRUE(read.has_value()) << read.error().detail;
    EXPECT_EQ(config.node_id, "alpha");
    EXPECT_THAT(config.roles, ElementsAre(Role::data, Role::session));
    EXPECT_EQ(config.advertise, (env::SocketAddress{.ip = "192.0.2.7", .port = 19600}));
    EXPECT_EQ(config.bolt.listen.ip, "::1");
    EXPECT_EQ(config.bolt.frame_max, 4U << 20U);
    EXPECT_EQ(config.session.write_wait, milliseconds(50));
    EXPECT_EQ(config.session.push_timeout, seconds(2));
    EXPECT_EQ(config.log.level, LogLevel::debug);
    EXPECT_EQ(config.log.format, ConfigLogFormat::json);
    EXPECT_EQ(config.slots, 16U);
}

TEST(ServerConfig, TakesAnEmptyFileForDefaults) {
    EXPECT_EQ(error_of(""), "no error");
    EXPECT_EQ(error_of("# nothing but a comment\n"), "no error");
}

TEST(ServerConfig, NamesFileLineAndNearestKeyOfAnUnknownOne) {
    EXPECT_EQ(error_of("slots: 8\nsesion:\n  write_wait: 1s\n"),
              "muster.yaml:3: unknown key 'sesion.write_wait'; did you mean 'session.write_wait'?");
    EXPECT_EQ(error_of("bolt:\n  lisen: 127.0.0.1:1\n"),
              "muster.yaml:2: unknown key 'bolt.lisen'; did you mean 'bolt.listen'?");
    EXPECT_EQ(error_of("nodeid: a\n"),
              "muster.yaml:1: unknown key 'nodeid'; did you mean 'node_id'?");
    EXPECT_EQ(error_of("push_timeout: 1s\n"),
              "muster.yaml:1: unknown key 'push_timeout'; did you mean 'session.push_timeout'?");
    EXPECT_EQ(error_of("\n\nzzzzzzzzzzzz: a\n"),
              "muster.yaml:3: unknown key 'zzzzzzzzzzzz'; docs/reference/configuration.md lists "
              "all keys");
    EXPECT_THAT(error_of("bolt: 9600\n"), StartsWith("muster.yaml:1: unknown key 'bolt'"));
    EXPECT_THAT(error_of("slots:\n  count: 8\n"),
                StartsWith("muster.yaml:2: unknown key 'slots.count'"));
}

TEST(ServerConfig, SaysWhatWasExpectedOfAWrongValue) {
    EXPECT_EQ(error_of("a: 1\n").substr(0, 14), "muster.yaml:1:");
    EXPECT_EQ(error_of("session:\n  write_wait: soon\n"),
              "muster.yaml:2: session.write_wait: expected a duration such as 250ms (us, ms, s, m, "
              "h) from 1ms to 10s, got 'soon'");
    EXPECT_THAT(error_of("session.write_wait: 200\n"), HasSubstr("got '200'"));
    EXPECT_THAT(error_of("session.write_wait: 11s\n"), HasSubstr("from 1ms to 10s, got '11s'"));
    EXPECT_EQ(error_of("slots: 0\n"),
              "muster.yaml:1: slots: expected a whole number from 1 to 16384, got '0'");
    EXPECT_THAT(error_of("slots: 1.5\n"), HasSubstr("got '1.5'"));
    EXPECT_THAT(error_of("slots: -1\n"), HasSubstr("got '-1'"));
    EXPECT_THAT(error_of("slots: 99999999999999999999\n"), HasSubstr("got '9999"));
    EXPECT_EQ(error_of("bolt.frame_max: 16MB\n"),
              "muster.yaml:1: bolt.frame_max: expected a size such as 64MiB (B, KiB, MiB, GiB) "
              "from 64KiB to 1GiB, got '16MB'");
    EXPECT_EQ(error_of("http:\n  listen: localhost:80\n"),
              "muster.yaml:2: http.listen: expected a numeric ip:port such as 127.0.0.1:9600 or "
              "[::]:9600, got 'localhost:80'");
    EXPECT_EQ(error_of("log.level: loud\n"),
              "muster.yaml:1: log.level: expected one of debug, info, warning, error, got 'loud'");
    EXPECT_EQ(error_of("roles: [data, dta]\n"),
              "muster.yaml:1: roles: expected one or more of meta, data, session, each once, got "
              "'data,dta'");
    EXPECT_THAT(error_of("roles: data,data\n"), HasSubstr("each once"));
    EXPECT_THAT(error_of("roles: []\n"), HasSubstr("one or more"));
    EXPECT_THAT(error_of("node_id: " + std::string(5000, 'x')), HasSubstr("at most 4096 bytes"));
}

TEST(ServerConfig, RefusesWrongShapes) {
    EXPECT_EQ(error_of("slots:\n"),
              "muster.yaml:1: slots: expected a whole number from 1 to 16384, got nothing");
    EXPECT_EQ(error_of("slots: [1, 2]\n"),
              "muster.yaml:1: slots: expected a whole number from 1 to 16384, got a list");
    EXPECT_THAT(error_of("roles: [[data]]\n"), HasSubstr("roles: expected"));
    EXPECT_EQ(error_of("- a\n- b\n"), "muster.yaml:1: expected 'key: value' lines");
    EXPECT_EQ(error_of("[a]: b\n"), "muster.yaml:1: expected a key");
    EXPECT_EQ(error_of("slots: 4\nsession:\n  write_wait: 1s\nslots: 8\n"),
              "muster.yaml:4: slots: given before, in line 1");
    EXPECT_THAT(error_of("slots: 4\n  bad: [\n"), StartsWith("muster.yaml:2: not YAML: "));
}

TEST(ServerConfig, RefusesYamlBombs) {
    std::string nested;
    for (int i = 0; i < 100'000; ++i) {
        nested += "{a: ";
    }
    EXPECT_THAT(error_of(nested), StartsWith("muster.yaml:"));
    EXPECT_THAT(error_of("a: &a\n  b: *a\n"), StartsWith("muster.yaml:"));
    EXPECT_EQ(error_of(std::string((1U << 20U) + 1, ' ')), "muster.yaml: larger than 1 MiB");
}

TEST(ServerConfig, OverridesOnTheCommandLineUseTheSameTable) {
    const auto config = load_server_config(
        "", std::vector<std::string>{"bolt.listen=127.0.0.1:0", "roles=session", "node_id=s1",
                                     "cluster.join=m1=127.0.0.1:9610",
                                     "cluster.secret=0123456789abcdef",
                                     "advertise=", "session.write_wait=1s"});
    ASSERT_TRUE(config.has_value());
    EXPECT_EQ(config->bolt.listen.ip, "127.0.0.1");
    EXPECT_THAT(config->roles, ElementsAre(Role::session));
    EXPECT_EQ(config->node_id, "s1");
    EXPECT_THAT(config->cluster.join,
                ElementsAre(NodeAddress{NodeId("m1"), {.ip = "127.0.0.1", .port = 9610}}));
    EXPECT_EQ(override_error("slot=8"), "--set slot=8: unknown key 'slot'; did you mean 'slots'?");
    EXPECT_EQ(override_error("slots=x"),
              "--set slots=x: slots: expected a whole number from 1 to 16384, got 'x'");
    EXPECT_EQ(override_error("slots"), "--set slots: expected key=value");
}

TEST(ServerConfig, ChecksWhatMustHoldBetweenKeys) {
    EXPECT_THAT(override_error("net.queue_hard_max=64KiB"), HasSubstr("net.queue_soft_max"));
    EXPECT_THAT(override_error("http.listen=0.0.0.0:9600"), HasSubstr("http.listen"));
    EXPECT_THAT(override_error("advertise=192.0.2.1:0"), HasSubstr("advertise"));
    EXPECT_THAT(override_error("data_dir="), HasSubstr("data_dir"));
    EXPECT_THAT(override_error("center="), HasSubstr("center"));
}

// What `settings` on top of a right member's lead to.
std::string member_error(std::vector<std::string> settings) {
    settings.insert(settings.begin(),
                    {"cluster.join=m1=192.0.2.1:9610,m2=192.0.2.2:9610", "node_id=d1", "roles=data",
                     "cluster.secret=0123456789abcdef"});
    const auto loaded = load_server_config("", settings);
    return loaded ? "no error" : loaded.error().detail;
}

TEST(ServerConfig, ChecksWhatMustHoldForANodeOfACluster) {
    EXPECT_EQ(member_error({}), "no error");
    EXPECT_EQ(member_error({"roles=meta,data", "node_id=m2"}), "no error");
    EXPECT_THAT(member_error({"roles=meta"}), HasSubstr("(m1, m2), got 'd1'"));
    EXPECT_THAT(member_error({"node_id=m1"}), HasSubstr("'m1' is a meta by cluster.join"));
    EXPECT_THAT(member_error({"cluster.secret="}), HasSubstr("openssl rand"));
    EXPECT_THAT(member_error({"cluster.secret_file=x"}), HasSubstr("got both"));
    EXPECT_THAT(member_error({"cluster.name="}), HasSubstr("cluster.name"));
    EXPECT_THAT(member_error({"bolt.listen=0.0.0.0:9620"}), HasSubstr("cluster.listen"));
    EXPECT_THAT(member_error({"cluster.advertise=192.0.2.1:0"}), HasSubstr("cluster.advertise"));
    EXPECT_THAT(member_error({"cluster.join="}), HasSubstr("--join m1=ip:port"));
    for (const char* join : {"m1", "m1=host:1", "m1=192.0.2.1:0", "=192.0.2.1:1",
                             "m1=192.0.2.1:1,m1=192.0.2.1:2", "m1=192.0.2.1:1,m2=192.0.2.1:1"}) {
        EXPECT_THAT(member_error({std::string("cluster.join=") + join}),
                    HasSubstr("expected node=ip:port"))
            << join;
    }
    EXPECT_THAT(override_error("cluster.listen=127.0.0.1:9610"), HasSubstr("cluster.join"));
    EXPECT_THAT(override_error("node_id=two words"), HasSubstr("node_id"));
}

TEST(ServerConfig, TakesTheMetasAsAListInTheFile) {
    ServerConfig config;
    const ConfigTable table = server_config_table(config);
    const auto outcome = read_config_text(
        table, "cluster:\n  join:\n    - m1=192.0.2.1:9610\n    - m2=[2001:db8::1]:9610\n", "f");
    ASSERT_TRUE(outcome.has_value()) << outcome.error().detail;
    ASSERT_EQ(config.cluster.join.size(), 2U);
    EXPECT_EQ(config.cluster.join[1].address.ip, "2001:db8::1");
}

TEST(ServerConfig, ListensForOthersWhereItsRoleDoes) {
    ServerConfig config;
    config.cluster.join = {{NodeId("m1"), {.ip = "192.0.2.1", .port = 7}}};
    config.node_id = "m1";
    EXPECT_EQ(env::to_string(peer_listen_address(config)), "192.0.2.1:7");
    config.node_id = "d1";
    config.roles = {Role::data, Role::session};
    EXPECT_EQ(env::to_string(peer_listen_address(config)), "0.0.0.0:9620");
    config.roles = {Role::session};
    EXPECT_EQ(peer_listen_address(config).port, 0);
    config.cluster.listen = env::SocketAddress{.ip = "127.0.0.1", .port = 5};
    EXPECT_EQ(peer_listen_address(config).port, 5);
}

TEST(ServerConfig, ReadsTheSecretFromItsFile) {
    std::string file = (std::filesystem::temp_directory_path() / "muster-secret-XXXXXX").string();
    const int fd = ::mkstemp(file.data());
    ASSERT_GE(fd, 0);
    ::close(fd);
    ServerConfig config;
    config.cluster.secret_file = file;
    std::ofstream(file) << "0123456789abcdef\nanother line\n";
    EXPECT_EQ(cluster_secret(config), "0123456789abcdef");
    std::ofstream(file) << "short\n";
    EXPECT_THAT(cluster_secret(config).error().detail, HasSubstr("expected 16 to 4096 bytes"));
    std::filesystem::remove(file);
    EXPECT_THAT(cluster_secret(config).error().detail, HasSubstr(file + ": No such file"));
}

TEST(ServerConfig, NamesAFileThatCannotBeRead) {
    const auto missing = load_server_config("/nonexistent/muster.yaml", {});
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.error().code, Errc::bad_config);
    EXPECT_EQ(missing.error().detail,
              "configuration file /nonexistent/muster.yaml: No such file or directory");
    EXPECT_FALSE(load_server_config("/", {}).has_value());
}

TEST(ServerConfig, OverridesWinOverTheFile) {
    std::string file = (std::filesystem::temp_directory_path() / "muster-config-XXXXXX").string();
    const int fd = ::mkstemp(file.data());
    ASSERT_GE(fd, 0);
    ::close(fd);
    std::ofstream(file) << "slots: 4\nnode_id: from-file\n";
    const auto config = load_server_config(file, std::vector<std::string>{"slots=8"});
    std::filesystem::remove(file);
    ASSERT_TRUE(config.has_value()) << config.error().detail;
    EXPECT_EQ(config->slots, 8U);
    EXPECT_EQ(config->node_id, "from-file");
}

// With MUSTER_UPDATE_REFERENCE set the page is written instead.
TEST(ServerConfig, TheReferencePageIsPrintedFromTheTable) {
    ServerConfig config;
    const std::string page = config_reference(server_config_table(config));
    const std::string file = MUSTER_SOURCE_ROOT "/docs/reference/configuration.md";
    if (std::getenv("MUSTER_UPDATE_REFERENCE") != nullptr) {
        std::filesystem::create_directories(std::filesystem::path(file).parent_path());
        std::ofstream(file) << page;
    }
    std::ifstream in(file);
    std::ostringstream stored;
    stored << in.rdbuf();
    EXPECT_EQ(stored.str(), page)
        << "run this test with MUSTER_UPDATE_REFERENCE=1 to print the page anew";
}

TEST(ServerConfig, EveryDefaultIsReadAsItIsPrinted) {
    ServerConfig config;
    const ConfigTable table = server_config_table(config);
    for (const ConfigKey& key : table.keys()) {
        EXPECT_TRUE(table.assign(key, key.initial).has_value()) << key.name << ' ' << key.initial;
        EXPECT_FALSE(key.help.empty()) << key.name;
    }
}

TEST(ServerConfig, SharesArePercentages) {
    const auto config = load_server_config(
        "", std::vector<std::string>{"brake.session.share=25%", "brake.enabled=false"});
    ASSERT_TRUE(config.has_value()) << config.error().detail;
    EXPECT_EQ(config->brake.session.percent, 25U);
    EXPECT_FALSE(config->brake.enabled);
    for (const char* bad : {"25", "101%", "%", "-1%", "1.5%"}) {
        EXPECT_FALSE(load_server_config(
            "", std::vector<std::string>{"brake.session.share=" + std::string(bad)}))
            << bad;
    }
}

TEST(ConfigValues, DurationsAndSizesSurviveWritingAndParsing) {
    for (const char* text : {"250ms", "5s", "2m", "1h", "1500us", "90s", "0s"}) {
        EXPECT_EQ(write_duration(parse_duration(text).value()), text);
    }
    for (const char* text : {"0B", "100B", "1KiB", "1536B", "64MiB", "3GiB"}) {
        EXPECT_EQ(write_bytes(parse_bytes(text).value()), text);
    }
    for (const char* bad : {"", "5", "s", "5 s", "-5s", "5S", "1.5s", "99999999999999999h"}) {
        EXPECT_FALSE(parse_duration(bad).has_value()) << bad;
    }
    for (const char* bad : {"", "5", "MiB", "5M", "-1B", "99999999999999GiB"}) {
        EXPECT_FALSE(parse_bytes(bad).has_value()) << bad;
    }
}

TEST(ConfigValues, EditDistanceCountsSwapsOnce) {
    EXPECT_EQ(edit_distance("", "abc"), 3U);
    EXPECT_EQ(edit_distance("listen", "listen"), 0U);
    EXPECT_EQ(edit_distance("lisetn", "listen"), 1U);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

}  // namespace
}  // namespace muster::runtime
