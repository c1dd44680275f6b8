#include "services_file.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <span>

#include <yaml-cpp/yaml.h>

#include "env/net.h"
#include "runtime/config/config_table.h"

namespace muster::sdk_core {
namespace {

constexpr std::size_t kFileBytesMax = std::size_t{1} << 20U;
constexpr std::size_t kItemsMax = 10'000;
constexpr std::uint32_t kWeightMax = 1'000'000;

class Reader {
public:
    explicit Reader(std::string file) : file_(std::move(file)) {}

    [[nodiscard]] std::unexpected<Error> mistake(const YAML::Mark& mark,
                                                 const std::string& what) const {
        return fail(Errc::bad_config,
                    file_ + ":" + std::to_string(mark.is_null() ? 1 : mark.line + 1) + ": " + what);
    }

    Result<StartPlan> read(const YAML::Node& root) const {
        static constexpr std::string_view kKeys[] = {"servers",      "app",      "zone",
                                                     "cache_folder", "register", "subscribe"};
        StartPlan plan;
        MUSTER_TRY(check_keys(root, "", kKeys));
        MUSTER_TRY(read_servers(root["servers"], plan.settings.servers));
        MUSTER_TRY(read_text(root, "app", plan.settings.role.app));
        MUSTER_TRY(read_text(root, "zone", plan.settings.role.zone));
        MUSTER_TRY(read_text(root, "cache_folder", plan.settings.cache_folder));
        MUSTER_TRY(each(root, "register", [&](const YAML::Node& node) {
            return read_registration(node, plan.wishes);
        }));
        MUSTER_TRY(each(root, "subscribe", [&](const YAML::Node& node) {
            return read_subscription(node, plan.wishes);
        }));
        return plan;
    }

private:
    // Every key is one of `known` and stands once.
    Result<void> check_keys(const YAML::Node& map, const std::string& where,
                            std::span<const std::string_view> known) const {
        if (!map.IsMap()) {
            return mistake(map.Mark(), (where.empty() ? "" : where + ": ") +
                                           std::string("expected 'key: value' lines"));
        }
        std::map<std::string, int> lines;
        for (const auto& entry : map) {
            const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
            const std::string path = where.empty() ? key : where + "." + key;
            if (std::ranges::find(known, key) == known.end()) {
                return mistake(entry.first.Mark(), unknown(path, key, known));
            }
            const int line = entry.first.Mark().line + 1;
            if (const auto [at, is_new] = lines.emplace(key, line); !is_new) {
                return mistake(entry.first.Mark(),
                               path + ": given before, in line " + std::to_string(at->second));
            }
        }
        return {};
    }

    static std::string unknown(const std::string& path, const std::string& key,
                               std::span<const std::string_view> known) {
        const auto nearest = std::ranges::min(
            known, {}, [&](std::string_view name) { return runtime::edit_distance(key, name); });
        return "unknown key '" + path + "'; did you mean '" + std::string(nearest) + "'?";
    }

    template <typename Function>
    Result<void> each(const YAML::Node& root, const char* name, Function function) const {
        const YAML::Node list = root[name];
        if (!list) {
            return {};
        }
        if (!list.IsSequence()) {
            return mistake(list.Mark(), std::string(name) + ": expected a list ('- service: ...')");
        }
        if (list.size() > kItemsMax) {
            return mistake(list.Mark(), std::string(name) + ": more than 10000 items");
        }
        for (const YAML::Node& node : list) {
            MUSTER_TRY(function(node));
        }
        return {};
    }

    Result<void> read_text(const YAML::Node& map, const char* key, std::string& value) const {
        const YAML::Node node = map[key];
        if (!node) {
            return {};
        }
        if (!node.IsScalar()) {
            return mistake(node.Mark(), std::string(key) + ": expected text");
        }
        value = node.Scalar();
        return {};
    }

    Result<void> read_flag(const YAML::Node& map, const char* key, bool& value) const {
        const YAML::Node node = map[key];
        if (!node) {
            return {};
        }
        if (!node.IsScalar() || (node.Scalar() != "true" && node.Scalar() != "false")) {
            return mistake(node.Mark(), std::string(key) + ": expected true or false");
        }
        value = node.Scalar() == "true";
        return {};
    }

    Result<void> read_servers(const YAML::Node& node, std::string& servers) const {
        if (!node) {
            return {};
        }
        if (node.IsScalar()) {
            servers = node.Scalar();
            return {};
        }
        if (!node.IsSequence()) {
            return mistake(node.Mark(), "servers: expected a list of host:port");
        }
        for (const YAML::Node& each : node) {
            if (!each.IsScalar()) {
                return mistake(each.Mark(), "servers: expected host:port");
            }
            servers += (servers.empty() ? "" : ",") + each.Scalar();
        }
        return {};
    }

    Result<Service> read_service(const YAML::Node& map, const std::string& where) const {
        const YAML::Node node = map["service"];
        if (!node || !node.IsScalar()) {
            return mistake((node ? node : map).Mark(),
                           where + ".service: expected a name such as orders");
        }
        auto service = parse_service_path(node.Scalar());
        if (!service) {
            return mistake(node.Mark(), where + ".service: " + service.error().detail);
        }
        return std::move(*service);
    }

    Result<void> read_weight(const YAML::Node& map, std::uint32_t& weight) const {
        const YAML::Node node = map["weight"];
        if (!node) {
            return {};
        }
        const std::string text = node.IsScalar() ? node.Scalar() : "";
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
        if (text.empty() || error != std::errc{} || end != text.data() + text.size() ||
            weight > kWeightMax) {
            return mistake(node.Mark(),
                           "register.weight: expected 0 to 1000000, got '" + text + "'");
        }
        return {};
    }

    Result<void> read_metadata(const YAML::Node& map, Endpoint& endpoint) const {
        const YAML::Node node = map["metadata"];
        if (!node) {
            return {};
        }
        if (!node.IsMap()) {
            return mistake(node.Mark(), "register.metadata: expected 'key: value' lines");
        }
        for (const auto& entry : node) {
            const bool text = entry.first.IsScalar() && entry.second.IsScalar();
            if (!text || entry.first.Scalar().find_first_of("&=") != std::string::npos ||
                entry.second.Scalar().find('&') != std::string::npos) {
                return mistake(entry.first.Mark(),
                               "register.metadata: expected text without '&' and '='");
            }
            endpoint.metadata.insert_or_assign(entry.first.Scalar(), entry.second.Scalar());
        }
        return {};
    }

    Result<void> read_boxes(const YAML::Node& map, std::vector<std::string>& boxes) const {
        const YAML::Node node = map["boxes"];
        if (!node.IsSequence() || node.size() == 0) {
            return mistake(node.Mark(), "register.boxes: expected a list of text");
        }
        for (const YAML::Node& box : node) {
            if (!box.IsScalar()) {
                return mistake(box.Mark(), "register.boxes: expected text");
            }
            boxes.push_back(box.Scalar());
        }
        return {};
    }

    Result<void> read_registration(const YAML::Node& node, FileWishes& wishes) const {
        static constexpr std::string_view kKeys[] = {"service", "address", "boxes", "weight",
                                                     "enabled", "healthy", "zone",  "metadata"};
        MUSTER_TRY(check_keys(node, "register", kKeys));
        auto service = read_service(node, "register");
        if (!service) {
            return std::unexpected(std::move(service).error());
        }
        client::PublicationSpec spec{.service = std::move(*service)};
        MUSTER_TRY(read_text(node, "zone", spec.zone));
        if (static_cast<bool>(node["address"]) == static_cast<bool>(node["boxes"])) {
            return mistake(node.Mark(), "register: expected either 'address: ip:port' or boxes");
        }
        if (node["boxes"]) {
            MUSTER_TRY(read_boxes(node, spec.boxes));
        } else {
            std::string address;
            MUSTER_TRY(read_text(node, "address", address));
            const auto parsed = env::parse_socket_address(address);
            if (!parsed || parsed->port == 0) {
                return mistake(node["address"].Mark(),
                               "register.address: expected ip:port such as 10.0.0.7:8080, got '" +
                                   address + "'");
            }
            Endpoint endpoint{.ip = parsed->ip, .port = parsed->port};
            MUSTER_TRY(read_weight(node, endpoint.weight));
            MUSTER_TRY(read_flag(node, "enabled", endpoint.enabled));
            MUSTER_TRY(read_flag(node, "healthy", endpoint.healthy));
            MUSTER_TRY(read_metadata(node, endpoint));
            spec.boxes.push_back(endpoint.to_box());
        }
        wishes.registrations.push_back(std::move(spec));
        return {};
    }

    Result<void> read_subscription(const YAML::Node& node, FileWishes& wishes) const {
        static constexpr std::string_view kKeys[] = {"service", "scope", "zone"};
        MUSTER_TRY(check_keys(node, "subscribe", kKeys));
        auto service = read_service(node, "subscribe");
        if (!service) {
            return std::unexpected(std::move(service).error());
        }
        client::ListKey key{.service = std::move(*service)};
        std::string scope(to_string(key.scope));
        MUSTER_TRY(read_text(node, "scope", scope));
        key.scope = parse_scope(scope);
        if (to_string(key.scope) != scope) {
            return mistake(
                node["scope"].Mark(),
                "subscribe.scope: expected zone, dataCenter or global, got '" + scope + "'");
        }
        MUSTER_TRY(read_text(node, "zone", key.zone));
        wishes.subscriptions.push_back(std::move(key));
        return {};
    }

    std::string file_;
};

}  // namespace

Result<StartPlan> parse_services(std::string_view text, const std::string& file) {
    if (text.size() > kFileBytesMax) {
        return fail(Errc::bad_config, file + ": larger than 1 MiB");
    }
    const Reader reader(file);
    try {
        const YAML::Node root = YAML::Load(std::string(text));
        return root.IsNull() ? StartPlan{} : reader.read(root);
    } catch (const YAML::Exception& error) {
        return reader.mistake(error.mark, "not YAML: " + error.msg);
    } catch (const std::exception& error) {
        return fail(Errc::bad_config, file + ": " + error.what());
    }
}

Result<StartPlan> read_services_file(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::string text(kFileBytesMax + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!in.is_open() || in.bad()) {
        return fail(Errc::bad_config,
                    "services file " + file + ": " + std::strerror(errno != 0 ? errno : EIO));
    }
    text.resize(static_cast<std::size_t>(in.gcount()));
    return parse_services(text, file);
}

}  // namespace muster::sdk_core
