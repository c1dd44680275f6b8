#include "runtime/config/config_reader.h"

#include <cerrno>
#include <cstring>
#include <exception>
#include <fstream>
#include <map>

#include <yaml-cpp/yaml.h>

namespace muster::runtime {
namespace {

constexpr std::size_t kFileBytesMax = std::size_t{1} << 20;
constexpr int kNestingMax = 8;

class Reader {
public:
    Reader(const ConfigTable& table, std::string_view file) : table_(table), file_(file) {}

    Result<void> read_map(const YAML::Node& map, const std::string& prefix, int depth) {
        for (const auto& entry : map) {
            const YAML::Node& key = entry.first;
            if (!key.IsScalar()) {
                return mistake(key, "expected a key");
            }
            const std::string name = prefix.empty() ? key.Scalar() : prefix + "." + key.Scalar();
            if (entry.second.IsMap()) {
                if (depth >= kNestingMax) {
                    return mistake(key, table_.unknown(name));
                }
                MUSTER_TRY(read_map(entry.second, name, depth + 1));
            } else {
                MUSTER_TRY(read_value(key, name, entry.second));
            }
        }
        return {};
    }

    std::unexpected<Error> mistake(const YAML::Mark& mark, const std::string& what) const {
        return fail(Errc::bad_config,
                    file_ + ":" + std::to_string(mark.is_null() ? 1 : mark.line + 1) + ": " + what);
    }

private:
    std::unexpected<Error> mistake(const YAML::Node& node, const std::string& what) const {
        return mistake(node.Mark(), what);
    }

    Result<void> read_value(const YAML::Node& key, const std::string& name,
                            const YAML::Node& value) {
        const ConfigKey* known = table_.find(name);
        if (known == nullptr) {
            return mistake(key, table_.unknown(name));
        }
        const int line = key.Mark().line + 1;
        if (const auto [at, is_new] = lines_.try_emplace(name, line); !is_new) {
            return mistake(key, name + ": given before, in line " + std::to_string(at->second));
        }
        std::string text;
        if (value.IsScalar()) {
            text = value.Scalar();
        } else if (value.IsSequence() && known->is_list) {
            for (const YAML::Node& element : value) {
                if (!element.IsScalar()) {
                    return mistake(element, name + ": expected " + known->expected);
                }
                text += (text.empty() ? "" : ",") + element.Scalar();
            }
        } else {
            const std::string got = value.IsSequence() ? "a list" : "nothing";
            return mistake(key, name + ": expected " + known->expected + ", got " + got);
        }
        if (auto taken = table_.assign(*known, text); !taken) {
            return mistake(value, taken.error().detail);
        }
        return {};
    }

    const ConfigTable& table_;
    std::string file_;
    std::map<std::string, int> lines_;
};

std::string escaped_cell(const std::string& text) {
    std::string out;
    for (const char c : text) {
        out += c == '|' ? "\\|" : std::string(1, c);
    }
    return out;
}

}  // namespace

Result<void> read_config_text(const ConfigTable& table, std::string_view text,
                              std::string_view file) {
    if (text.size() > kFileBytesMax) {
        return fail(Errc::bad_config, std::string(file) + ": larger than 1 MiB");
    }
    Reader reader(table, file);
    try {
        const YAML::Node root = YAML::Load(std::string(text));
        if (root.IsNull()) {
            return {};
        }
        if (!root.IsMap()) {
            return reader.mistake(root.Mark(), "expected 'key: value' lines");
        }
        return reader.read_map(root, "", 1);
    } catch (const YAML::Exception& error) {
        return reader.mistake(error.mark, "not YAML: " + error.msg);
    } catch (const std::exception& error) {
        return fail(Errc::bad_config, std::string(file) + ": " + error.what());
    }
}

Result<void> read_config_file(const ConfigTable& table, const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::string text(kFileBytesMax + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!in.is_open() || in.bad()) {
        const std::string why = std::strerror(errno != 0 ? errno : EIO);
        return fail(Errc::bad_config, "configuration file " + file + ": " + why);
    }
    text.resize(static_cast<std::size_t>(in.gcount()));
    return read_config_text(table, text, file);
}

Result<void> apply_override(const ConfigTable& table, std::string_view assignment) {
    const std::string context = "--set " + std::string(assignment.substr(0, 200));
    const auto equals = assignment.find('=');
    if (equals == std::string_view::npos || equals == 0) {
        return fail(Errc::bad_config, context + ": expected key=value");
    }
    const std::string_view name = assignment.substr(0, equals);
    const ConfigKey* key = table.find(name);
    if (key == nullptr) {
        return fail(Errc::bad_config, context + ": " + table.unknown(name));
    }
    if (auto taken = table.assign(*key, assignment.substr(equals + 1)); !taken) {
        return wrap(context, std::move(taken).error());
    }
    return {};
}

std::string config_reference(const ConfigTable& table) {
    std::string page =
        "# Configuration\n\n"
        "`muster server --config FILE` reads YAML; keys are nested (`session: {write_wait: 1s}`)\n"
        "or dotted (`session.write_wait: 1s`). `--set key=value` overrides a key on the command\n"
        "line. An unknown key or a value of the wrong kind stops the start with the file, the\n"
        "line and what was expected. This page is printed from the table the server reads by.\n";
    std::string group = "\n";  // none yet
    for (const ConfigKey& key : table.keys()) {
        const auto dot = key.name.find('.');
        const std::string its_group = dot == std::string::npos ? "" : key.name.substr(0, dot);
        if (its_group != group) {
            group = its_group;
            page += "\n## " + (group.empty() ? std::string("The node") : group) + "\n\n";
            page += "| key | type | default | range | meaning |\n|---|---|---|---|---|\n";
        }
        page += "| `" + key.name + "` | " + escaped_cell(key.type) + " | " +
                (key.initial.empty() ? std::string("none") : "`" + key.initial + "`") + " | " +
                key.range + " | " + escaped_cell(key.help) + " |\n";
    }
    return page;
}

}  // namespace muster::runtime
